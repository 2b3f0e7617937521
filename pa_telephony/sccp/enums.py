"""Enumerations and flags of SCCP: names and numbers as Wireshark's dissector knows them.

Every one is open: a number without a name stays a number (``UNKNOWN_n``), a bit without a name a
bit. Members that only chan-sccp knows, and what sources disagree about, stand in the docstrings.

The other four bit masks of the dissector name no bit, they only count them, and are plain numbers
here: ``SoftKeyMask`` (bit n is for the key n + 1 of the set) and three of 8, 16 and 32 bits.
"""

from __future__ import annotations

from pa_telephony.wire.declaration import OpenIntEnum, OpenIntFlag

__all__ = [
    "AddParticipantResult",
    "AnnPlayMode",
    "AuditParticipantResult",
    "ButtonType",
    "CallHistoryDisposition",
    "CallPrivacy",
    "CallSecurityStatusType",
    "CallType",
    "CreateConfResult",
    "DCallState",
    "DeleteConfResult",
    "DeviceAlarmSeverity",
    "DeviceResetType",
    "DeviceStimulus",
    "DeviceTone",
    "DeviceType",
    "DeviceUnregisterStatus",
    "DisplayLabels36",
    "DisplayLabels200",
    "EndOfAnnAck",
    "HeadsetMode",
    "IpAddrMode",
    "IpAddrType",
    "KeyPadButton",
    "KeyPadButtonshort",
    "LampMode",
    "Layout",
    "LineTypeBits",
    "MediaEchoCancellation",
    "MediaEncryptionAlgorithmType",
    "MediaEncryptionCapability",
    "MediaG723BitRate",
    "MediaPathCapabilities",
    "MediaPathEvent",
    "MediaPathID",
    "MediaPayloadType",
    "MediaSilenceSuppression",
    "MediaStatus",
    "MediaTransportType",
    "MediaType",
    "MicrophoneMode",
    "MiscCommandType",
    "ModifyConfResult",
    "MulticastMediaReceptionStatus",
    "MwiNotificationResult",
    "OpenReceiveChanStatus",
    "PhoneFeatures",
    "PlayAnnStatus",
    "PortHandling",
    "QoSErrorCode",
    "RSVPDirection",
    "RSVPErrorCode",
    "RecordingStatus",
    "ResourceType",
    "RestrictInformationType",
    "ResvStyle",
    "RingDuration",
    "RingMode",
    "SequenceFlag",
    "SessionType",
    "SoftKeyEvent",
    "SoftKeyInfoIndex",
    "SoftKeySet",
    "SoftKeyTemplateIndex",
    "SpeakerMode",
    "StatsProcessingType",
    "SubscribeCause",
    "SubscriptionFeatureID",
    "ToneOutputDirection",
    "TransmitOrReceive",
    "UnRegReasonCode",
]


class DisplayLabels36(OpenIntEnum):
    """``DisplayLabels_36``.

    In texts as the byte 0x1E (octal 036) and the number.
    """

    EMPTY = 0
    ACCT = 2
    FLASH = 3
    LOGIN = 4
    DEVICE_IN_HOME_LOCATION = 5
    DEVICE_IN_ROAMING_LOCATION = 6
    ENTER_AUTHORIZATION_CODE = 7
    ENTER_CLIENT_MATTER_CODE = 8
    CALLS_AVAILABLE_FOR_PICKUP = 9
    CM_FALLBACK_SERVICE_OPERATING = 10
    MAX_PHONES_EXCEEDED = 11
    WAITING_TO_REHOME = 12
    PLEASE_END_CALL = 13
    PAGING = 14
    SELECT_LINE = 15
    TRANSFER_DESTINATION_IS_BUSY = 16
    SELECT_A_SERVICE = 17
    LOCAL_SERVICES = 18
    ENTER_SEARCH_CRITERIA = 19
    NIGHT_SERVICE = 20
    NIGHT_SERVICE_ACTIVE = 21
    NIGHT_SERVICE_DISABLED = 22
    LOGIN_SUCCESSFUL = 23
    WRONG_PIN = 24
    PLEASE_ENTER_PIN = 25
    OF = 26
    RECORDS_1_TO = 27
    NO_RECORD_FOUND = 28
    SEARCH_RESULTS = 29
    CALLS_IN_QUEUE = 30
    JOIN_TO_HUNT_GROUP = 31
    READY = 32
    NOTREADY = 33
    CALL_ON_HOLD = 34
    HOLD_REVERSION = 35
    SETUP_FAILED = 36
    NO_RESOURCES = 37
    DEVICE_NOT_AUTHORIZED = 38
    MONITORING = 39
    RECORDING_AWAITING_CALL_TO_BE_ACTIVE = 40
    RECORDING_ALREADY_IN_PROGRESS = 41
    INACTIVE_RECORDING_SESSION = 42
    MOBILITY = 43
    WHISPER = 44
    FORWARD_ALL = 45
    MALICIOUS_CALL_ID = 46
    GROUP_PICKUP = 47
    REMOVE_LAST_PARTICIPANT = 48
    OTHER_PICKUP = 49
    VIDEO = 50
    END_CALL = 51
    CONFERENCE_LIST = 52
    QUALITY_REPORTING_TOOL = 53
    HUNT_GROUP = 54
    USE_LINE_OR_JOIN_TO_COMPLETE = 55
    DO_NOT_DISTURB = 56
    DO_NOT_DISTURB_IS_ACTIVE = 57
    CFWDALL_LOOP_DETECTED = 58
    CFWDALL_HOPS_EXCEEDED = 59
    ABBRDIAL = 60
    PICKUP_IS_UNAVAILABLE = 61
    CONFERENCE_IS_UNAVAILABLE = 62
    MEETME_IS_UNAVAILABLE = 63
    CANNOT_RETRIEVE_PARKED_CALL = 64
    CANNOT_SEND_CALL_TO_MOBILE = 65
    RECORD = 67
    CANNOT_MOVE_CONVERSATION = 68
    CW_OFF = 69
    COACHING = 70
    RECORDING = 79
    RECORDING_FAILED = 80
    CONNECTING = 81


class DisplayLabels200(OpenIntEnum):
    """``DisplayLabels_200``.

    In texts as the byte 0x80 (octal 200) and the number.
    """

    REDIAL = 1
    NEWCALL = 2
    HOLD = 3
    TRANSFER = 4
    CFWDALL = 5
    CFWDBUSY = 6
    CFWDNOANSWER = 7
    BACKSPACE = 8
    ENDCALL = 9
    RESUME = 10
    ANSWER = 11
    INFO = 12
    CONFRN = 13
    PARK = 14
    JOIN = 15
    MEETME = 16
    PICKUP = 17
    GPICKUP = 18
    YOUR_CURRENT_OPTIONS = 19
    OFF_HOOK = 20
    ON_HOOK = 21
    RING_OUT = 22
    FROM = 23
    CONNECTED = 24
    BUSY = 25
    LINE_IN_USE = 26
    CALL_WAITING = 27
    CALL_TRANSFER = 28
    CALL_PARK = 29
    CALL_PROCEED = 30
    IN_USE_REMOTE = 31
    ENTER_NUMBER = 32
    CALL_PARK_AT = 33
    PRIMARY_ONLY = 34
    TEMP_FAIL = 35
    YOU_HAVE_VOICEMAIL = 36
    FORWARDED_TO = 37
    CAN_NOT_COMPLETE_CONFERENCE = 38
    NO_CONFERENCE_BRIDGE = 39
    CAN_NOT_HOLD_PRIMARY_CONTROL = 40
    INVALID_CONFERENCE_PARTICIPANT = 41
    IN_CONFERENCE_ALREADY = 42
    NO_PARTICIPANT_INFO = 43
    EXCEED_MAXIMUM_PARTIES = 44
    KEY_IS_NOT_ACTIVE = 45
    ERROR_NO_LICENSE = 46
    ERROR_DBCONFIG = 47
    ERROR_DATABASE = 48
    ERROR_PASS_LIMIT = 49
    ERROR_UNKNOWN = 50
    ERROR_MISMATCH = 51
    CONFERENCE = 52
    PARK_NUMBER = 53
    PRIVATE = 54
    NOT_ENOUGH_BANDWIDTH = 55
    UNKNOWN_NUMBER = 56
    RMLSTC = 57
    VOICEMAIL = 58
    IMMDIV = 59
    INTRCPT = 60
    SETWTCH = 61
    TRNSFVM = 62
    DND = 63
    DIVALL = 64
    CALLBACK = 65
    NETWORK_CONGESTION_REROUTING = 66
    BARGE = 67
    FAILED_TO_SETUP_BARGE = 68
    ANOTHER_BARGE_EXISTS = 69
    INCOMPATIBLE_DEVICE_TYPE = 70
    NO_PARK_NUMBER_AVAILABLE = 71
    CALLPARK_REVERSION = 72
    SERVICE_IS_NOT_ACTIVE = 73
    HIGH_TRAFFIC_TRY_AGAIN_LATER = 74
    QRT = 75
    MCID = 76
    DIRTRFR = 77
    SELECT = 78
    CONFLIST = 79
    IDIVERT = 80
    CBARGE = 81
    CAN_NOT_COMPLETE_TRANSFER = 82
    CAN_NOT_JOIN_CALLS = 83
    MCID_SUCCESSFUL = 84
    NUMBER_NOT_CONFIGURED = 85
    SECURITY_ERROR = 86
    VIDEO_BANDWIDTH_UNAVAILABLE = 87
    VIDMODE = 88
    MAX_CALL_DURATION_TIMEOUT = 89
    MAX_HOLD_DURATION_TIMEOUT = 90
    OPICKUP = 91
    HLOG = 92
    LOGGED_OUT_OF_HUNT_GROUP = 93
    PARK_SLOT_UNAVAILABLE = 94
    NO_CALL_AVAILABLE_FOR_PICKUP = 95
    EXTERNAL_TRANSFER_RESTRICTED = 97
    NO_LINE_AVAILABLE_FOR_PICKUP = 98
    PATH_REPLACEMENT_IN_PROGRESS = 99
    UNKNOWN_2 = 100
    MAC_ADDRESS = 101
    HOST_NAME = 102
    DOMAIN_NAME = 103
    IP_ADDRESS = 104
    SUBNET_MASK = 105
    TFTP_SERVER_1 = 106
    DEFAULT_ROUTER_1 = 107
    DEFAULT_ROUTER_2 = 108
    DEFAULT_ROUTER_3 = 109
    DEFAULT_ROUTER_4 = 110
    DEFAULT_ROUTER_5 = 111
    DNS_SERVER_1 = 112
    DNS_SERVER_2 = 113
    DNS_SERVER_3 = 114
    DNS_SERVER_4 = 115
    DNS_SERVER_5 = 116
    OPERATIONAL_VLAN_ID = 117
    ADMIN_VLAN_ID = 118
    CALL_MANAGER_1 = 119
    CALL_MANAGER_2 = 120
    CALL_MANAGER_3 = 121
    CALL_MANAGER_4 = 122
    CALL_MANAGER_5 = 123
    INFORMATION_URL = 124
    DIRECTORIES_URL = 125
    MESSAGES_URL = 126
    SERVICES_URL = 127


class DeviceType(OpenIntEnum):
    """``DeviceType``.

    1 to 255 are models as CallManager numbers them. CTI ports (72) and route points (73) register
    over CTIQBE, not over SCCP. Captured: 52, 83, 112, 404, 30006, 30007, 30027, 30032.

    577 and those from 80001 on are of chan-sccp.

    Disputed: 309 is the 7961G-GE (wireshark) or the 7941G-GE (chan-sccp, Asterisk, wazo: more
    likely, 308 is the 7961G-GE everywhere); 43 and 47 are exchanged in chan-sccp; 62 is an H.323
    gateway or trunk; 118 is the 7971G-GE of wazo alone.
    """

    STATION30_S_PPLUS = 1
    STATION12_S_PPLUS = 2
    STATION12_SP = 3
    STATION12 = 4
    STATION30_VIP = 5
    CISCO_7910 = 6
    STATION_TELECASTER_MGR = 7
    CISCO_7940 = 8
    CISCO_7935 = 9
    STATION_VGC = 10
    VGC_VIRTUAL_PHONE = 11
    STATION_ATA186 = 12
    STATION_ATA188 = 13
    EMCC_BASE = 15
    VIRTUAL30_S_PPLUS = 20
    STATION_PHONE_APPLICATION = 21
    ANALOG_ACCESS = 30
    DIGITAL_ACCESS_TITAN1 = 40
    DIGITAL_ACCESS_T1 = 41
    DIGITAL_ACCESS_TITAN2 = 42
    DIGITAL_ACCESS_LENNON = 43
    ANALOG_ACCESS_ELVIS = 47
    VGC_GATEWAY = 48
    CONFERENCE_BRIDGE = 50
    CONFERENCE_BRIDGE_YOKO = 51
    CONFERENCE_BRIDGE_DIXIE_LAND = 52
    CONFERENCE_BRIDGE_SUMMIT = 53
    H225 = 60
    H323_PHONE = 61
    H323_GATEWAY = 62
    MUSIC_ON_HOLD = 70
    PILOT = 71
    TAPI_PORT = 72
    TAPI_ROUTE_POINT = 73
    VOICE_IN_BOX = 80
    VOICE_INBOX_ADMIN = 81
    LINE_ANNUNCIATOR = 82
    SOFTWARE_MTP_DIXIE_LAND = 83
    CISCO_MEDIA_SERVER = 84
    CONFERENCE_BRIDGE_FLINT = 85
    CONFERENCE_BRIDGE_HETRO_GEN = 86
    CONFERENCE_BRIDGE_AUD_VID = 87
    CONFERENCE_H_VIDEO_BRIDGE = 88
    ROUTE_LIST = 90
    LOAD_SIMULATOR = 100
    MEDIA_TERMINATION_POINT = 110
    MEDIA_TERMINATION_POINT_YOKO = 111
    MEDIA_TERMINATION_POINT_DIXIE_LAND = 112
    MEDIA_TERMINATION_POINT_SUMMIT = 113
    CISCO_7941_G = 115
    CISCO_7971 = 119
    MGCP_STATION = 120
    MGCP_TRUNK = 121
    RAS_PROXY = 122
    CISCO_7914_ADD_ON = 124
    TRUNK = 125
    ANNUNCIATOR = 126
    MONITOR_BRIDGE = 127
    RECORDER = 128
    MONITOR_BRIDGE_YOKO = 129
    SIP_TRUNK = 131
    SIP_GATEWAY = 132
    WSM_TRUNK = 133
    REMOTE_DESTINATION = 134
    CISCO_7915_ADD_ON = 227
    CISCO_7915_ADD_ON_24 = 228
    CISCO_7916_ADD_ON = 229
    CISCO_7916_ADD_ON_24 = 230
    GENERIC_DEVICE = 253
    UNKNOWN_MGCP_GATEWAY = 254
    NOT_DEFINED = 255
    NOKIA_E_SERIES = 275
    CISCO_7985 = 302
    CISCO_7911 = 307
    CISCO_7961_GE = 308
    CISCO_7961_G_GE = 309
    MOTOROLA_CN622 = 335
    THIRD_PARTY_SIP_BASIC = 336
    CISCO_7931 = 348
    UNIFIED_COMMUNICATOR = 358
    CISCO_7921 = 365
    CISCO_7906 = 369
    THIRD_PARTY_SIP_ADV = 374
    TELEPRESENCE = 375
    NOKIA_ICC_CLIENT = 376
    CISCO_7962 = 404
    CISCO_3951 = 412
    CISCO_7937 = 431
    CISCO_7942 = 434
    CISCO_7945 = 435
    CISCO_7965 = 436
    CISCO_7975 = 437
    UNIFIED_MOBILE_COMMUNICATOR = 468
    CISCO_7925 = 484
    CISCO_9971_CE = 493
    CISCO_6921 = 495
    CISCO_6941 = 496
    CISCO_6961 = 497
    CSF = 503
    CISCO_6901 = 547
    CISCO_6911 = 548
    CISCO_6945 = 564
    SKINNY_DEVICETYPE_CISCO7926 = 577
    CISCO_8945 = 585
    CISCO_8941 = 586
    CISCO_TELEPRESENCE_MCU = 597
    CISCO_TELE_PRESENCE_EXCHANGE = 599
    CISCO_TELE_PRESENCE_SOFTWARE_CONFERENCE_BRIDGE = 600
    AS_SIP = 631
    CTI_REMOTE_DEVICE = 635
    CISCO_7905 = 20000
    CISCO_7920 = 30002
    CISCO_7970 = 30006
    CISCO_7912 = 30007
    CISCO_7902 = 30008
    CISCO_IP_COMMUNICATOR = 30016
    CISCO_7961_G = 30018
    CISCO_7936 = 30019
    ANALOG_PHONE = 30027
    ISDNBRI_PHONE = 30028
    SCCP_GW_VIRTUAL_PHONE = 30032
    IP_STE = 30035
    CISCO_TELE_PRESENCE_CONDUCTOR = 36041
    INTERACTIVE_VOICE_RESPONSE = 36219
    CISCO_SPA_521_S = 80000
    SKINNY_DEVICETYPE_SPA_524_SG = 80001
    CISCO_SPA_502_G = 80003
    CISCO_SPA_504_G = 80004
    CISCO_SPA_525_G = 80005
    SKINNY_DEVICETYPE_SPA_508_G = 80006
    CISCO_SPA_509_G = 80007
    CISCO_SPA_525_G2 = 80009
    CISCO_SPA_303_G = 80011
    SKINNY_DEVICETYPE_SPA_512_G = 80012
    SKINNY_DEVICETYPE_SPA_514_G = 80013


class KeyPadButton(OpenIntEnum):
    """``KeyPadButton``."""

    ZERO = 0
    ONE = 1
    TWO = 2
    THREE = 3
    FOUR = 4
    FIVE = 5
    SIX = 6
    SEVEN = 7
    EIGHT = 8
    NINE = 9
    A = 10
    B = 11
    C = 12
    D = 13
    STAR = 14
    POUND = 15
    PLUS = 16


class KeyPadButtonshort(OpenIntEnum):
    """``KeyPadButton_short``."""

    ZERO = 0
    ONE = 1
    TWO = 2
    THREE = 3
    FOUR = 4
    FIVE = 5
    SIX = 6
    SEVEN = 7
    EIGHT = 8
    NINE = 9
    A = 10
    B = 11
    C = 12
    D = 13
    STAR = 14
    POUND = 15
    PLUS = 16


class DeviceStimulus(OpenIntEnum):
    """``DeviceStimulus``.

    0, 38, 192 to 198, 240 and 253 are of chan-sccp.

    Disputed: DoNotDisturb is 130 (wireshark, chan-sccp) or 63 (Asterisk, wazo); 19 is Privacy or
    any feature (chan-sccp); 21 is a BLF speed dial or any feature (wazo).
    """

    SKINNY_STIMULUS_UNUSED = 0
    LAST_NUMBER_REDIAL = 1
    SPEED_DIAL = 2
    HOLD = 3
    TRANSFER = 4
    FORWARD_ALL = 5
    FORWARD_BUSY = 6
    FORWARD_NO_ANSWER = 7
    DISPLAY = 8
    LINE = 9
    T120_CHAT = 10
    T120_WHITEBOARD = 11
    T120_APPLICATION_SHARING = 12
    T120_FILE_TRANSFER = 13
    VIDEO = 14
    VOICE_MAIL = 15
    ANSWER_RELEASE = 16
    AUTO_ANSWER = 17
    SELECT = 18
    PRIVACY = 19
    SERVICE_URL = 20
    BLF_SPEED_DIAL = 21
    D_PARK = 22
    INTERCOM = 23
    MALICIOUS_CALL = 27
    GENERIC_APP_B1 = 33
    GENERIC_APP_B2 = 34
    GENERIC_APP_B3 = 35
    GENERIC_APP_B4 = 36
    GENERIC_APP_B5 = 37
    SKINNY_STIMULUS_MULTIBLINKFEATURE = 38
    MEET_ME_CONFERENCE = 123
    CONFERENCE = 125
    CALL_PARK = 126
    CALL_PICK_UP = 127
    GROUP_CALL_PICK_UP = 128
    MOBILITY = 129
    DO_NOT_DISTURB = 130
    CONF_LIST = 131
    REMOVE_LAST_PARTICIPANT = 132
    QRT = 133
    CALL_BACK = 134
    OTHER_PICKUP = 135
    VIDEO_MODE = 136
    NEW_CALL = 137
    END_CALL = 138
    H_LOG = 139
    QUEUING = 143
    SKINNY_STIMULUS_PARKINGLOT = 192
    SKINNY_STIMULUS_TESTF = 193
    SKINNY_STIMULUS_MESSAGES = 194
    SKINNY_STIMULUS_DIRECTORY = 195
    SKINNY_STIMULUS_TESTI = 196
    SKINNY_STIMULUS_APPLICATION = 197
    SKINNY_STIMULUS_HEADSET = 198
    SKINNY_STIMULUS_KEYPAD = 240
    SKINNY_STIMULUS_AEC = 253
    MAX_STIMULUS_VALUE = 255


class MediaPayloadType(OpenIntEnum):
    """``Media_PayloadType``."""

    G711_ALAW64K = 2
    G711_ALAW56K = 3
    G711_ULAW64K = 4
    G711_ULAW56K = 5
    G722_64K = 6
    G722_56K = 7
    G722_48K = 8
    G7231 = 9
    G728 = 10
    G729 = 11
    G729_ANNEX_A = 12
    G729_ANNEX_B = 15
    G729_ANNEX_AW_ANNEX_B = 16
    GSM_FULL_RATE = 18
    GSM_HALF_RATE = 19
    GSM_ENHANCED_FULL_RATE = 20
    WIDE_BAND_256K = 25
    DATA64 = 32
    DATA56 = 33
    G7221_32_K = 40
    G7221_24_K = 41
    AAC = 42
    MP4_ALATM_128 = 43
    MP4_ALATM_64 = 44
    MP4_ALATM_56 = 45
    MP4_ALATM_48 = 46
    MP4_ALATM_32 = 47
    MP4_ALATM_24 = 48
    MP4_ALATM_NA = 49
    GSM = 80
    G726_32_K = 82
    G726_24_K = 83
    G726_16_K = 84
    ILBC = 86
    ISAC = 89
    OPUS = 90
    AMR = 97
    AMR_WB = 98
    H261 = 100
    H263 = 101
    VIEO = 102
    H264 = 103
    H264_SVC = 104
    T120 = 105
    H224 = 106
    T38_FAX = 107
    TOTE = 108
    H265 = 109
    H264_UC = 110
    XV150_MR_711_U = 111
    NSE_VBD_711_U = 112
    XV150_MR_729_A = 113
    NSE_VBD_729_A = 114
    H264_FEC = 115
    CLEAR_CHAN = 120
    UNIVERSAL_XCODER = 222
    RFC2833_DYN_PAYLOAD = 257
    PASS_THROUGH = 258
    DYNAMIC_PAYLOAD_PASS_THRU = 259
    DTMF_OOB = 260
    INBAND_DTMF_RFC2833 = 261
    CFB_TONES = 262
    NO_AUDIO = 299
    V150_LC_MODEM_RELAY = 300
    V150_LC_SPRT = 301
    V150_LC_SSE = 302
    MAX = 303


class MediaG723BitRate(OpenIntEnum):
    """``Media_G723BitRate``."""

    N_5_3 = 1
    N_6_3 = 2


class DeviceAlarmSeverity(OpenIntEnum):
    """``DeviceAlarmSeverity``."""

    CRITICAL = 0
    WARNING = 1
    INFORMATIONAL = 2
    UNKNOWN = 4
    MAJOR = 7
    MINOR = 8
    MARGINAL = 10
    TRACE_INFO = 20


class MulticastMediaReceptionStatus(OpenIntEnum):
    """``MulticastMediaReceptionStatus``."""

    OK = 0
    ERROR = 1


class MediaStatus(OpenIntEnum):
    """``MediaStatus``.

    In OpenReceiveChannelAck and StartMediaTransmissionAck. wazo, FreeSWITCH and Asterisk only
    tell 0 from the others.

    Disputed: a device on hook is 255 (wireshark) or 12 (chan-sccp).
    """

    OK = 0
    UNKNOWN = 1
    NOT_ENOUGH_CHANNELS = 2
    CODEC_TOO_COMPLEX = 3
    INVALID_PARTY_ID = 4
    INVALID_CALL_REF = 5
    INVALID_CODEC = 6
    INVALID_PACKET_SIZE = 7
    OUT_OF_SOCKETS = 8
    ENCODER_OR_DECODER_FAILED = 9
    INVALID_DYNAMIC_PAYLOAD_TYPE = 10
    REQUESTED_IP_ADDR_TYPE_UN_AVAILABLE = 11
    DEVICE_ON_HOOK_CHAN_SCCP = 12
    DEVICE_ON_HOOK = 255


class IpAddrType(OpenIntEnum):
    """``IpAddrType``."""

    IPV4 = 0
    IPV6 = 1
    IPV4_V6 = 2
    IP_INVALID = 3


class StatsProcessingType(OpenIntEnum):
    """``StatsProcessingType``."""

    CLEAR_STATS = 0
    DO_NOT_CLEAR_STATS = 1


class SoftKeySet(OpenIntEnum):
    """``SoftKeySet``.

    A set holds what the call manager put into SoftKeySetRes; to a station the number is an index.

    Disputed: 6 is call forward (wazo) or digits after the first (others, captured); 7 dialling in
    a transfer (wazo) or a connected conference; 11 on hook with a call to steal, or a shared line
    on hold (Asterisk); 12 a conference on hold (chan-sccp) or a shared line in use (Asterisk),
    and CME sends a set 12; 13 ring out with transfer (Asterisk) or an empty set (chan-sccp).
    """

    ON_HOOK = 0
    CONNECTED = 1
    ON_HOLD = 2
    RINGIN = 3
    OFF_HOOK = 4
    CONN_TRANS = 5
    DIGITS_FOLL = 6
    CONN_CONF = 7
    RING_OUT = 8
    OFF_HOOK_FEAT = 9
    IN_USE_HINT = 10
    ON_HOOK_STEALABLE = 11


class SoftKeyEvent(OpenIntEnum):
    """``SoftKeyEvent``.

    1 to 18, 57 to 88, 201 and 202 are keys, and 1 to 18 the same in every source and in captures
    of CUCM, CME and CallManager 4.1. 19 to 56 are names of texts that share the table of labels.

    Disputed: what 19 to 33 are as keys is up to the call manager, which says so in
    SoftKeyTemplateRes. Captured: 21 Barge, 28 DirTrfr, 29 Select, 30 ConfList, 33 VidMode from
    CUCM; 19 RmLstC, 20 CallBack, 21 Barge, 22 DnD, 27 ConfList, 28 Select, 29 TrnsfVM, 30 CBarge
    from CME.
    """

    REDIAL = 1
    NEW_CALL = 2
    HOLD = 3
    TRANSFER = 4
    CFWD_ALL = 5
    CFWD_BUSY = 6
    CFWD_NO_ANSWER = 7
    BACK_SPACE = 8
    END_CALL = 9
    RESUME = 10
    ANSWER = 11
    INFO = 12
    CONFRN = 13
    PARK = 14
    JOIN = 15
    MEET_ME = 16
    PICK_UP = 17
    GRP_PICKUP = 18
    YOUR_CURRENT_OPTIONS = 19
    OFF_HOOK = 20
    ON_HOOK = 21
    RING_OUT = 22
    FROM = 23
    CONNECTED = 24
    BUSY = 25
    LINE_IN_USE = 26
    CALL_WAITING = 27
    CALL_TRANSFER = 28
    CALL_PARK = 29
    CALL_PROCEED = 30
    IN_USE_REMOTE = 31
    ENTER_NUMBER = 32
    CALL_PARK_AT = 33
    PRIMARY_ONLY = 34
    TEMP_FAIL = 35
    YOU_HAVE_A_VOICE_MAIL = 36
    FORWARDED_TO = 37
    CAN_NOT_COMPLETE_CONFERENCE = 38
    NO_CONFERENCE_BRIDGE = 39
    CAN_NOT_HOLD_PRIMARY_CONTROL = 40
    INVALID_CONFERENCE_PARTICIPANT = 41
    IN_CONFERENCE_ALREADY = 42
    NO_PARTICIPANT_INFO = 43
    EXCEED_MAXIMUM_PARTIES = 44
    KEY_IS_NOT_ACTIVE = 45
    ERROR_NO_LICENSE = 46
    ERROR_DB_CONFIG = 47
    ERROR_DATABASE = 48
    ERROR_PASS_LIMIT = 49
    ERROR_UNKNOWN = 50
    ERROR_MISMATCH = 51
    CONFERENCE = 52
    PARK_NUMBER = 53
    PRIVATE = 54
    NOT_ENOUGH_BANDWIDTH = 55
    UNKNOWN_NUMBER = 56
    RM_LST_C = 57
    VOICEMAIL = 58
    IMM_DIV = 59
    INTRCPT = 60
    SET_WTCH = 61
    TRNSF_VM = 62
    DND = 63
    DIV_ALL = 64
    CALL_BACK = 65
    NETWORK_CONGESTION_REROUTING = 66
    BARGE = 67
    FAILED_TO_SETUP_BARGE = 68
    ANOTHER_BARGE_EXISTS = 69
    INCOMPATIBLE_DEVICE_TYPE = 70
    NO_PARK_NUMBER_AVAILABLE = 71
    CALL_PARK_REVERSION = 72
    SERVICE_IS_NOT_ACTIVE = 73
    HIGH_TRAFFIC_TRY_AGAIN_LATER = 74
    QRT = 75
    MCID = 76
    DIR_TRFR = 77
    SELECT = 78
    CONF_LIST = 79
    I_DIVERT = 80
    C_BARGE = 81
    CAN_NOT_COMPLETE_TRANSFER = 82
    CAN_NOT_JOIN_CALLS = 83
    MCID_SUCCESSFUL = 84
    NUMBER_NOT_CONFIGURED = 85
    SECURITY_ERROR = 86
    VIDEO_BANDWIDTH_UNAVAILABLE = 87
    VIDEO_MODE = 88
    DIAL = 201
    RECORD = 202


class UnRegReasonCode(OpenIntEnum):
    """``UnRegReasonCode``.

    Disputed: chan-sccp takes 0 for power save and all others as unknown.
    """

    UNKNOWN = 0
    POWER_SAVE_MODE = 1


class HeadsetMode(OpenIntEnum):
    """``HeadsetMode``."""

    ON = 1
    OFF = 2


class SequenceFlag(OpenIntEnum):
    """``SequenceFlag``."""

    FIRST = 0
    MORE = 1
    LAST = 2


class Layout(OpenIntEnum):
    """``Layout``."""

    NO_LAYOUT = 0
    ONE_BY_ONE = 1
    ONE_BY_TWO = 2
    TWO_BY_TWO = 3
    TWO_BY_TWO3_ALT1 = 4
    TWO_BY_TWO3_ALT2 = 5
    THREE_BY_THREE = 6
    THREE_BY_THREE6_ALT1 = 7
    THREE_BY_THREE6_ALT2 = 8
    THREE_BY_THREE4_ALT1 = 9
    THREE_BY_THREE4_ALT2 = 10


class TransmitOrReceive(OpenIntEnum):
    """``TransmitOrReceive``."""

    NONE = 0
    RECEIVE_ONLY = 1
    TRANSMIT_ONLY = 2
    BOTH = 3


class OpenReceiveChanStatus(OpenIntEnum):
    """``OpenReceiveChanStatus``."""

    OK = 0
    ERROR = 1


class CreateConfResult(OpenIntEnum):
    """``CreateConfResult``."""

    OK = 0
    RESOURCE_NOT_AVAILABLE = 1
    CONFERENCE_ALREADY_EXIST = 2
    SYSTEM_ERR = 3


class DeleteConfResult(OpenIntEnum):
    """``DeleteConfResult``."""

    OK = 0
    CONFERENCE_NOT_EXIST = 1
    SYSTEM_ERR = 2


class ModifyConfResult(OpenIntEnum):
    """``ModifyConfResult``."""

    OK = 0
    RESOURCE_NOT_AVAILABLE = 1
    CONFERENCE_NOT_EXIST = 2
    INVALID_PARAMETER = 3
    MORE_ACTIVE_CALLS_THAN_RESERVED = 4
    INVALID_RESOURCE_TYPE = 5
    SYSTEM_ERR = 6


class AddParticipantResult(OpenIntEnum):
    """``AddParticipantResult``."""

    OK = 0
    RESOURCE_NOT_AVAILABLE = 1
    CONFERENCE_NOT_EXIST = 2
    DUPLICATE_CALL_REF = 3
    SYSTEM_ERR = 4


class ResourceType(OpenIntEnum):
    """``ResourceType``."""

    CONFERENCE = 0
    IVR = 1


class AuditParticipantResult(OpenIntEnum):
    """``AuditParticipantResult``."""

    OK = 0
    CONFERENCE_NOT_EXIST = 1


class MediaEncryptionCapability(OpenIntEnum):
    """``Media_Encryption_Capability``."""

    NOT_ENCRYPTION_CAPABLE = 0
    ENCRYPTION_CAPABLE = 1


class IpAddrMode(OpenIntEnum):
    """``IpAddrMode``."""

    MODE_IPV4 = 0
    MODE_IPV6 = 1
    MODE_IPV4_AND_IPV6 = 2


class MediaType(OpenIntEnum):
    """``MediaType``."""

    INVALID = 0
    AUDIO = 1
    MAIN_VIDEO = 2
    FECC = 3
    PRESENTATION_VIDEO = 4
    DATA_APP_BFCP = 5
    DATA_APP_IX_CHANNEL = 6
    T38 = 7
    MAX = 8


class RSVPDirection(OpenIntEnum):
    """``RSVPDirection``."""

    SEND = 1
    RECV = 2
    SENDRECV = 3


class QoSErrorCode(OpenIntEnum):
    """``QoSErrorCode``."""

    RESERVATION_TIMEOUT = 0
    PATH_FAIL = 1
    RESV_FAIL = 2
    LISTEN_FAIL = 3
    RESOURCE_UNAVAILABLE = 4
    LISTEN_TIMEOUT = 5
    RESV_RETRIES_FAIL = 6
    PATH_RETRIES_FAIL = 7
    RESV_PREEMPTION = 8
    PATH_PREEMPTION = 9
    RESV_MODIFY_FAIL = 10
    PATH_MODIFY_FAIL = 11
    RESV_TEAR = 12


class RSVPErrorCode(OpenIntEnum):
    """``RSVPErrorCode``."""

    CONFIRM = 0
    ADMISSION = 1
    ADMINISTRATIVE = 2
    NO_PATH_INFORMATION = 3
    NO_SENDER_INFORMATION = 4
    CONFLICTING_STYLE = 5
    UNKNOWN_STYLE = 6
    CONFLICTING_DST_PORTS = 7
    CONFLICTING_SRC_PORTS = 8
    SERVICE_PREEMPTED = 12
    UNKNOWN_OBJECT_CLASS = 13
    UNKNOWN_CLASS_TYPE = 14
    API = 20
    TRAFFIC = 21
    TRAFFIC_SYSTEM = 22
    SYSTEM = 23
    ROUTING_PROBLEM = 24


class SubscriptionFeatureID(OpenIntEnum):
    """``SubscriptionFeatureID``."""

    BLF = 1


class MediaPathID(OpenIntEnum):
    """``MediaPathID``."""

    HEADSET = 1
    HANDSET = 2
    SPEAKER = 3


class MediaPathEvent(OpenIntEnum):
    """``MediaPathEvent``.

    Disputed: FreeSWITCH calls them off hook and on hook.
    """

    ON = 1
    OFF = 2


class MediaPathCapabilities(OpenIntEnum):
    """``MediaPathCapabilities``."""

    ENABLE = 1
    DISABLE = 2
    MONITOR = 3


class DeviceTone(OpenIntEnum):
    """``DeviceTone``.

    55 is of chan-sccp.

    Disputed: 42 is a message-waiting tone (wireshark) or a partial dial tone (chan-sccp): the
    same stutter.
    """

    SILENCE = 0
    DTMF1 = 1
    DTMF2 = 2
    DTMF3 = 3
    DTMF4 = 4
    DTMF5 = 5
    DTMF6 = 6
    DTMF7 = 7
    DTMF8 = 8
    DTMF9 = 9
    DTMF0 = 10
    DTMF_STAR = 14
    DTMF_POUND = 15
    DTMF_A = 16
    DTMF_B = 17
    DTMF_C = 18
    DTMF_D = 19
    INSIDE_DIAL_TONE = 33
    OUTSIDE_DIAL_TONE = 34
    LINE_BUSY_TONE = 35
    ALERTING_TONE = 36
    REORDER_TONE = 37
    RECORDER_WARNING_TONE = 38
    RECORDER_DETECTED_TONE = 39
    REVERTING_TONE = 40
    RECEIVER_OFF_HOOK_TONE = 41
    MESSAGE_WAITING_INDICATOR_TONE = 42
    NO_SUCH_NUMBER_TONE = 43
    BUSY_VERIFICATION_TONE = 44
    CALL_WAITING_TONE = 45
    CONFIRMATION_TONE = 46
    CAMP_ON_INDICATION_TONE = 47
    RECALL_DIAL_TONE = 48
    ZIP_ZIP = 49
    ZIP = 50
    BEEP_BONK = 51
    MUSIC_TONE = 52
    HOLD_TONE = 53
    TEST_TONE = 54
    SKINNY_TONE_DTMONITORWARNINGTONE = 55
    MONITOR_WARNING_TONE = 56
    SECURE_WARNING_TONE = 57
    ADD_CALL_WAITING = 64
    PRIORITY_CALL_WAIT = 65
    RECALL_DIAL = 66
    BARG_IN = 67
    DISTINCT_ALERT = 68
    PRIORITY_ALERT = 69
    REMINDER_RING = 70
    PRECEDENCE_RING_BACK = 71
    PREEMPTION_TONE = 72
    NON_SECURE_WARNING_TONE = 73
    MF1 = 80
    MF2 = 81
    MF3 = 82
    MF4 = 83
    MF5 = 84
    MF6 = 85
    MF7 = 86
    MF8 = 87
    MF9 = 88
    MF0 = 89
    MFKP1 = 90
    MFST = 91
    MFKP2 = 92
    MFSTP = 93
    MFST3_P = 94
    MILLIWATT = 95
    MILLIWATTTEST = 96
    HIGHTONE = 97
    FLASHOVERRIDE = 98
    FLASH = 99
    PRIORITY = 100
    IMMEDIATE = 101
    PREAMPWARN = 102
    TONE2105_HZ = 103
    TONE2600_HZ = 104
    TONE440_HZ = 105
    TONE300_HZ = 106
    MOBILITY_WP = 107
    MOBILITY_UAC = 108
    MOBILITY_WTDN = 109
    MOBILITY_MON = 110
    MOBILITY_MOFF = 111
    MOBILITY_UKC = 112
    MOBILITY_VMA = 113
    MOBILITY_FAC = 114
    MOBILITY_CMC = 115
    MLPP_PALA = 119
    MLPP_ICA = 120
    MLPP_VCA = 121
    MLPP_BPA = 122
    MLPP_BNEA = 123
    MLPP_UPA = 124
    TUA = 125
    GONE = 126
    NO_TONE = 127
    MEET_ME_GREETING = 128
    MEET_ME_NUMBER_INVALID = 129
    MEET_ME_NUMBER_FAILED = 130
    MEET_ME_ENTER_PIN = 131
    MEET_ME_INVALID_PIN = 132
    MEET_ME_FAILED_PIN = 133
    MEET_ME_CFB_FAILED = 134
    MEET_ME_ENTER_ACCESS_CODE = 135
    MEET_ME_ACCESS_CODE_INVALID = 136
    MEET_ME_ACCESS_CODE_FAILED = 137
    MAX = 138


class ToneOutputDirection(OpenIntEnum):
    """``ToneOutputDirection``."""

    USER = 0
    NETWORK = 1
    ALL = 2


class RingMode(OpenIntEnum):
    """``RingMode``.

    7 to 11 are of chan-sccp, for SPA phones.

    Disputed: 5 is silent and 6 urgent in chan-sccp.
    """

    RING_OFF = 1
    INSIDE_RING = 2
    OUTSIDE_RING = 3
    FEATURE_RING = 4
    FLASH_ONLY = 5
    PRECEDENCE_RING = 6
    SKINNY_RINGTYPE_BELLCORE_1 = 7
    SKINNY_RINGTYPE_BELLCORE_2 = 8
    SKINNY_RINGTYPE_BELLCORE_3 = 9
    SKINNY_RINGTYPE_BELLCORE_4 = 10
    SKINNY_RINGTYPE_BELLCORE_5 = 11


class RingDuration(OpenIntEnum):
    """``RingDuration``.

    Disputed: 1 is for ever in FreeSWITCH.
    """

    NORMAL_RING = 1
    SINGLE_RING = 2


class LampMode(OpenIntEnum):
    """``LampMode``.

    Only 1 to 5 go to phones; 6 to 9 are of chan-sccp, and internal there.
    """

    OFF = 1
    ON = 2
    WINK = 3
    FLASH = 4
    BLINK = 5
    SKINNY_LAMP_HOLD = 6
    SKINNY_LAMP_RING = 7
    SKINNY_LAMP_CUSTOM1 = 8
    SKINNY_LAMP_CUSTOM2 = 9


class SpeakerMode(OpenIntEnum):
    """``SpeakerMode``."""

    ON = 1
    OFF = 2


class MicrophoneMode(OpenIntEnum):
    """``MicrophoneMode``."""

    ON = 1
    OFF = 2


class MediaSilenceSuppression(OpenIntEnum):
    """``Media_SilenceSuppression``."""

    OFF = 0
    ON = 1


class MediaEncryptionAlgorithmType(OpenIntEnum):
    """``MediaEncryptionAlgorithmType``."""

    NO_ENCRYPTION = 0
    CCM_AES_CM_128_HMAC_SHA1_32 = 1
    CCM_AES_CM_128_HMAC_SHA1_80 = 2
    CCM_F8_128_HMAC_SHA1_32 = 3
    CCM_F8_128_HMAC_SHA1_80 = 4
    CCM_AEAD_AES_128_GCM = 5
    CCM_AEAD_AES_256_GCM = 6


class PortHandling(OpenIntEnum):
    """``PortHandling``."""

    CLOSE_PORT = 0
    KEEP_PORT = 1


class CallType(OpenIntEnum):
    """``CallType``."""

    IN_BOUND_CALL = 1
    OUT_BOUND_CALL = 2
    FORWARD_CALL = 3


class CallSecurityStatusType(OpenIntEnum):
    """``CallSecurityStatusType``."""

    UNKNOWN = 0
    NOT_AUTHENTICATED = 1
    AUTHENTICATED = 2
    ENCRYPTED = 3
    MAX = 4


class SessionType(OpenIntEnum):
    """``SessionType``."""

    CHAT = 1
    WHITEBOARD = 2
    APPLICATION_SHARING = 4
    FILE_TRANSFER = 8
    VIDEO = 16


class ButtonType(OpenIntEnum):
    """``ButtonType``.

    Disputed: 19 is a feature, or Privacy (FreeSWITCH); 192 a test key (wireshark) or ParkingLot
    (chan-sccp); DoNotDisturb 130 or 63 (Asterisk). 176, 177 and 241 to 245 are placeholders
    inside Asterisk and chan-sccp.
    """

    UNUSED = 0
    LAST_NUMBER_REDIAL = 1
    SPEED_DIAL = 2
    HOLD = 3
    TRANSFER = 4
    FORWARD_ALL = 5
    FORWARD_BUSY = 6
    FORWARD_NO_ANSWER = 7
    DISPLAY = 8
    LINE = 9
    T120_CHAT = 10
    T120_WHITEBOARD = 11
    T120_APPLICATION_SHARING = 12
    T120_FILE_TRANSFER = 13
    VIDEO = 14
    VOICEMAIL = 15
    ANSWER_RELEASE = 16
    AUTO_ANSWER = 17
    SELECT = 18
    FEATURE = 19
    SERVICE_URL = 20
    BUSY_LAMP_FIELD_SPEEDDIAL = 21
    MALICIOUS_CALL = 27
    GENERIC_APP_B1 = 33
    GENERIC_APP_B2 = 34
    GENERIC_APP_B3 = 35
    GENERIC_APP_B4 = 36
    GENERIC_APP_B5 = 37
    MONITOR_MULTIBLINK = 38
    MEET_ME_CONFERENCE = 123
    CONFERENCE = 125
    CALL_PARK = 126
    CALL_PICKUP = 127
    GROUP_CALL_PICKUP = 128
    MOBILITY = 129
    DO_NOT_DISTURB = 130
    CONF_LIST = 131
    REMOVE_LAST_PARTICIPANT = 132
    QRT = 133
    CALL_BACK = 134
    OTHER_PICKUP = 135
    VIDEO_MODE = 136
    NEW_CALL = 137
    END_CALL = 138
    H_LOG = 139
    QUEUING = 143
    TEST_E = 192
    TEST_F = 193
    MESSAGES = 194
    DIRECTORY = 195
    TEST_I = 196
    APPLICATION = 197
    HEADSET = 198
    KEYPAD = 240
    AEC = 253
    UNDEFINED = 255


class DeviceResetType(OpenIntEnum):
    """``DeviceResetType``.

    Disputed: Asterisk, wazo and FreeSWITCH do not know 3.
    """

    RESET = 1
    RESTART = 2
    APPLY_CONFIG = 3


class MediaEchoCancellation(OpenIntEnum):
    """``Media_EchoCancellation``."""

    OFF = 0
    ON = 1


class SoftKeyTemplateIndex(OpenIntEnum):
    """``SoftKeyTemplateIndex``.

    Disputed: these are the names of wireshark. In captures the index is a place in
    SoftKeyTemplateRes, counted from 1; SoftKeySetDefinition therefore has plain numbers.
    """

    REDIAL = 1
    NEW_CALL = 2
    HOLD = 3
    TRANSFER = 4
    CFWD_ALL = 5
    CFWD_BUSY = 6
    CFWD_NO_ANSWER = 7
    BACK_SPACE = 8
    END_CALL = 9
    RESUME = 10
    ANSWER = 11
    INFO = 12
    CONFRN = 13
    PARK = 14
    JOIN = 15
    MEET_ME = 16
    PICK_UP = 17
    GRP_PICKUP = 18
    MONITOR = 19
    CALL_BACK = 20
    BARGE = 21
    DND = 22
    CONF_LIST = 23
    SELECT = 24
    PRIVATE = 25
    TRNSFVM = 26
    DIR_TRFR = 27
    I_DIVERT = 28
    VIDEO_MODE = 29
    INTRCPT = 30
    EMPTY = 31
    DIAL = 32
    C_BARGE = 33


class SoftKeyInfoIndex(OpenIntEnum):
    """``SoftKeyInfoIndex``.

    Disputed: these are the names of wireshark. In captures the number is 300 and the event of the
    key; SoftKeySetDefinition therefore has plain numbers.
    """

    REDIAL = 301
    NEW_CALL = 302
    HOLD = 303
    TRANSFER = 304
    CFWD_ALL = 305
    CFWD_BUSY = 306
    CFWD_NO_ANSWER = 307
    BACK_SPACE = 308
    END_CALL = 309
    RESUME = 310
    ANSWER = 311
    INFO = 312
    CONFRN = 313
    PARK = 314
    JOIN = 315
    MEET_ME = 316
    PICK_UP = 317
    GRP_PICKUP = 318
    MONITOR = 319
    CALL_BACK = 320
    BARGE = 321
    DND = 322
    CONF_LIST = 323
    SELECT = 324
    PRIVATE = 325
    TRNSFVM = 326
    DIR_TRFR = 327
    I_DIVERT = 328
    VIDEO_MODE = 329
    INTRCPT = 330
    EMPTY = 331
    DIAL = 332
    C_BARGE = 333


class DCallState(OpenIntEnum):
    """``DCallState``.

    Disputed: 7 is congestion, or line in use (FreeSWITCH, Cisco 69267); 12 is proceed (captured
    behind the last digit), or progress (Asterisk, wazo); 15, 16 and 17 are hold yellow, one-way
    intercom and hold red in chan-sccp.
    """

    IDLE = 0
    OFF_HOOK = 1
    ON_HOOK = 2
    RING_OUT = 3
    RING_IN = 4
    CONNECTED = 5
    BUSY = 6
    CONGESTION = 7
    HOLD = 8
    CALL_WAITING = 9
    CALL_TRANSFER = 10
    CALL_PARK = 11
    PROCEED = 12
    CALL_REMOTE_MULTILINE = 13
    INVALID_NUMBER = 14
    HOLD_REVERT = 15
    WHISPER = 16
    REMOTE_HOLD = 17
    MAX_STATE = 18


class CallPrivacy(OpenIntEnum):
    """``CallPrivacy``.

    Disputed: default, collapsed and hidden in chan-sccp.
    """

    NONE = 0
    LIMITED = 1
    FULL = 2


class DeviceUnregisterStatus(OpenIntEnum):
    """``DeviceUnregisterStatus``."""

    OK = 0
    ERROR = 1
    NAK = 2


class EndOfAnnAck(OpenIntEnum):
    """``EndOfAnnAck``."""

    NO_ANN_ACK_REQUIRED = 0
    ANN_ACK_REQUIRED = 1


class AnnPlayMode(OpenIntEnum):
    """``AnnPlayMode``."""

    XML_CONFIG_MODE = 0
    ONE_SHOT_MODE = 1
    CONTINUOUS_MODE = 2


class PlayAnnStatus(OpenIntEnum):
    """``PlayAnnStatus``."""

    OK = 0
    ERR = 1


class MiscCommandType(OpenIntEnum):
    """``MiscCommandType``."""

    VIDEO_FREEZE_PICTURE = 0
    VIDEO_FAST_UPDATE_PICTURE = 1
    VIDEO_FAST_UPDATE_GOB = 2
    VIDEO_FAST_UPDATE_MB = 3
    LOST_PICTURE = 4
    LOST_PARTIAL_PICTURE = 5
    RECOVERY_REFERENCE_PICTURE = 6
    TEMPORAL_SPATIAL_TRADE_OFF = 7


class MediaTransportType(OpenIntEnum):
    """``MediaTransportType``."""

    RTP = 1
    UDP = 2
    TCP = 3


class ResvStyle(OpenIntEnum):
    """``ResvStyle``."""

    FF = 1
    SE = 2
    WF = 3


class SubscribeCause(OpenIntEnum):
    """``SubscribeCause``."""

    OK = 0
    ROUTE_FAIL = 1
    AUTH_FAIL = 2
    TIMEOUT = 3
    TRUNK_TERM = 4
    TRUNK_FORBIDDEN = 5
    THROTTLE = 6


class CallHistoryDisposition(OpenIntEnum):
    """``CallHistoryDisposition``.

    Disputed: chan-sccp has 0xFFFFFFFE for unknown.
    """

    IGNORE = 0
    PLACED_CALLS = 1
    RECEIVED_CALLS = 2
    MISSED_CALLS = 3
    UNKNOWN_DISP = 65535


class MwiNotificationResult(OpenIntEnum):
    """``MwiNotificationResult``."""

    OK = 0
    GENERAL_ERROR = 1
    REQUEST_REJECTED = 2
    VM_COUNT_OUT_OF_BOUNDS = 3
    FAX_COUNT_OUT_OF_BOUNDS = 4
    INVALID_PRIORITY_VM_COUNT = 5
    INVALID_PRIORITY_FAX_COUNT = 6


class RecordingStatus(OpenIntEnum):
    """``RecordingStatus``."""

    OFF = 0
    ON = 1


class PhoneFeatures(OpenIntFlag):
    """``PhoneFeatures``: the last two bytes behind the version, as a little-endian word.

    Captured: 0x8572 from a 7970 and a 7962, 0x8100 from a 7912, 0x0201 from an FXS port, 0x0001
    from gateways and media resources, 0xFFF1 from CUCM, 0x0130 from CME, 0xFE00 from CM 4.1.

    Disputed: dynamic (packed) messages are bit 0x0080 (wireshark) or 0x0100 (chan-sccp). The
    latter here: phones and CME set it and not the other while they use packed messages (captured).
    """

    UTF8 = 0x0010
    DYNAMIC_MESSAGES = 0x0100
    RFC2833 = 0x0200
    ABBREVIATED_DIAL = 0x8000


class RestrictInformationType(OpenIntFlag):
    """``RestrictInformationType``: which of the parties of a call must not be shown."""

    CALLING_PARTY_NAME = 0x01
    CALLING_PARTY_NUMBER = 0x02
    CALLING_PARTY = 0x03
    CALLED_PARTY_NAME = 0x04
    CALLED_PARTY_NUMBER = 0x08
    CALLED_PARTY = 0x0C
    ORIGINAL_CALLED_PARTY_NAME = 0x10
    ORIGINAL_CALLED_PARTY_NUMBER = 0x20
    ORIGINAL_CALLED_PARTY = 0x30
    LAST_REDIRECT_PARTY_NAME = 0x40
    LAST_REDIRECT_PARTY_NUMBER = 0x80
    LAST_REDIRECT_PARTY = 0xC0


class LineTypeBits(OpenIntFlag):
    """``LineTypeBits``: what of a call a phone shows on a line; 9 in captures."""

    ORIG_DIALED = 0x01
    REDIR_DIALED = 0x02
    CALLING_PARTY_NUMBER = 0x04
    CALLING_PARTY_NAME = 0x08
