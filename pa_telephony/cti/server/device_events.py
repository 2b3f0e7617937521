"""The events of devices and lines that a CTI Manager sends."""

from __future__ import annotations

from pa_telephony.cti import enums, messages
from pa_telephony.cti.messages import structs
from pa_telephony.cti.messages.base import CtiMessage
from pa_telephony.cti.server.backend import CTI_PORT, ROUTE_POINT, DeviceInfo
from pa_telephony.cti.server.responses import CALL_MANAGER, plain

__all__ = [
    "ACQUIRED",
    "CONTROLLED",
    "capabilities",
    "described",
    "device_info",
    "device_service",
    "line_service",
    "registered",
    "type_name",
    "unregistered",
    "user_changed",
]

CONTROLLED = enums.DEVICECONTROLFLAGBITMASK.CONTROLLED
ACQUIRED = enums.DEVICECONTROLFLAGBITMASK.ACQUIRED
"""The flag of an acquired device; without it Cisco's client waits 30 s (observed)."""

_EVERYTHING = enums.DEVICELINEINFOCONTENT(31)
_DYNAMIC_REGISTRATION_LINES = enums.DEVICELINEINFOCONTENT(14)
_LINES = enums.DEVICELINEINFOCONTENT(8)
_LINES_PER_EVENT = 50
_UNREGISTERED = 5
"""A reason that JTAPI shows as cause 1005 (observed)."""
_LOCALE = enums.CTIUserLocales(1)
_ASCII_AND_UNICODE = enums.CTIENCODINGTYPES(3)


def type_name(device: DeviceInfo) -> str:
    """The name that CallManager has for the device's type."""
    names = {CTI_PORT: "CTI Port", ROUTE_POINT: "CTI Route Point"}
    return names.get(device.device_type, "Cisco 7965")


def capabilities(*, any_device: bool) -> structs.ProviderCapabilitiesInfo:
    """What a user may do; all zero makes Cisco's client restrict every terminal (observed)."""
    return structs.ProviderCapabilitiesInfo(
        control_any_device=any_device,
        modify_calling_party=True,
        provider_capability_mask=enums.PROVIDERCAPABILITYBITMASK(3),
    )


def _lines(device: DeviceInfo) -> tuple[structs.LineInfo, ...]:
    return tuple(
        structs.LineInfo(
            name=line.number,
            display_name=plain(line.name),
            # One for each number: the client keeps its addresses by it (observed).
            permanent_line_id=line.line_id,
            max_number_of_calls=line.max_calls,
            line_instance=index,
            busy_trigger=line.max_calls,
            unicode_display_name=line.name,
            partition=line.partition,
            ascii_label=line.number,
            unicode_label=line.number,
        )
        for index, line in enumerate(device.lines, 1)
    )


def _is_cti(device: DeviceInfo) -> bool:
    return device.device_type in (CTI_PORT, ROUTE_POINT)


def _registration(device: DeviceInfo) -> structs.DeviceRegistrationInfo:
    held = device.registration
    return structs.DeviceRegistrationInfo(
        media_termination=enums.CTIMEDIAREGISTRATION(held.termination.value if held else 0),
        encoding_type=_ASCII_AND_UNICODE,
        cti_controllable=enums.DEVICECONTROLTYPE(1),
    )


def _dynamic() -> structs.DeviceInfoDynamic:
    return structs.DeviceInfoDynamic(locale=_LOCALE)


def described(
    request_id: int, device: DeviceInfo, control: enums.DEVICECONTROLFLAGBITMASK
) -> list[CtiMessage]:
    """The events of an enumeration for one device; more than one where it has many lines."""
    lines = _lines(device)
    first, rest = lines[:_LINES_PER_EVENT], lines[_LINES_PER_EVENT:]
    events: list[CtiMessage] = [
        messages.DeviceLineInfoEvent(
            request_id=request_id,
            device_name=device.name,
            device_registration_status=enums.DEVICEREGISTRATIONSTATUS(
                1 if device.registered else 2
            ),
            control_mode_bit_map=control,
            event_content=_EVERYTHING,
            device_info_static=structs.DeviceInfoStatic(
                device_type=enums.DEVICETYPE(device.device_type),
                device_type_name=type_name(device),
                device_id=device.device_id,
                protocol=enums.DEVICEPROTOCOL(0 if _is_cti(device) else 1),
                special_device_capabilities=enums.DEVICESUPPORTSFEATUREBITMASK(3),
            ),
            device_info_dynamic=_dynamic(),
            device_registration_info=_registration(device),
            line_info=first,
            total_lines=len(lines),
            more_lines=bool(rest),
        )
    ]
    while rest:
        part, rest = rest[:_LINES_PER_EVENT], rest[_LINES_PER_EVENT:]
        events.append(
            messages.DeviceLineInfoEvent(
                request_id=request_id,
                device_name=device.name,
                control_mode_bit_map=control,
                event_content=_LINES,
                line_info=part,
                total_lines=len(lines),
                more_lines=bool(rest),
            )
        )
    return events


def device_info(device: DeviceInfo) -> structs.DeviceInfo:
    """The struct that describes a device in registrations and changes."""
    return structs.DeviceInfo(
        name=device.name,
        type=enums.DEVICETYPE(device.device_type),
        allows_registration=_is_cti(device),
        device_id=device.device_id,
        locale=_LOCALE,
        protocol=enums.DEVICEPROTOCOL(0 if _is_cti(device) else 1),
        dev_type_name=type_name(device),
        supports_feature=enums.DEVICESUPPORTSFEATUREBITMASK(3),
    )


def registered(device: DeviceInfo) -> CtiMessage:
    """The event of a device that was registered."""
    lines = _lines(device)
    return messages.DeviceRegisteredEventWithLineInfo(
        device_name=device.name,
        control_mode_bit_map=CONTROLLED,
        event_content=_DYNAMIC_REGISTRATION_LINES,
        device_info_dynamic=_dynamic(),
        device_registration_info=_registration(device),
        line_info=lines[:_LINES_PER_EVENT],
        total_lines=min(len(lines), _LINES_PER_EVENT),
        protocol=enums.DEVICEPROTOCOL(0 if _is_cti(device) else 1),
    )


def unregistered(device: DeviceInfo) -> CtiMessage:
    """The event of a device that is registered no more."""
    return messages.DeviceUnregisteredEvent(
        device_info=device_info(device),
        controllable=True,
        device_control_flag_bit_mask=CONTROLLED,
    )


def user_changed(device: DeviceInfo, *, added: bool, any_device: bool) -> CtiMessage:
    """The event of a device added to the user or removed; it repeats the capabilities (§3.3)."""
    kind = enums.PROVIDERUSERNOTIFYTYPE
    return messages.ProviderUserChangedEvent(
        type_of_notification=kind.DEVICEADD if added else kind.DEVICEREMOVE,
        device_info=device_info(device),
        provider_capabilities_info=capabilities(any_device=any_device),
        # What is left: with a bit still set Cisco's client keeps the device (observed).
        device_control_flag_bit_mask=CONTROLLED if added else enums.DEVICECONTROLFLAGBITMASK(0),
    )


def device_service(handle: int, device: DeviceInfo) -> CtiMessage:
    """The event whether an open device is in service."""
    if device.registered:
        return messages.DeviceInServiceEvent(
            device_call_manager_id=CALL_MANAGER,
            device_id=handle,
            locale=_LOCALE,
            supported_encoding=_ASCII_AND_UNICODE,
            dnd_status=device.do_not_disturb,
        )
    return messages.DeviceOutOfServiceEvent(
        device_call_manager_id=CALL_MANAGER,
        device_id=handle,
        reason=enums.DEVICEOUTOFSERVICEREASON(_UNREGISTERED),
    )


def line_service(handle: int, in_service: bool) -> CtiMessage:
    """The event whether an open line is in service."""
    if in_service:
        return messages.LineInServiceEvent(line_call_manager_id=CALL_MANAGER, line_id=handle)
    return messages.LineOutOfServiceEvent(
        line_call_manager_id=CALL_MANAGER,
        line_id=handle,
        reason=enums.LINEOUTOFSERVICEREASON(_UNREGISTERED),
    )
