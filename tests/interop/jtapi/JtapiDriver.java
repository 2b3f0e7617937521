import com.cisco.jtapi.extensions.*;
import java.io.*;
import java.net.InetAddress;
import java.util.*;
import java.util.concurrent.ConcurrentHashMap;
import javax.telephony.*;
import javax.telephony.callcenter.*;
import javax.telephony.callcenter.events.*;
import javax.telephony.callcontrol.*;
import javax.telephony.callcontrol.events.*;
import javax.telephony.events.*;
import javax.telephony.media.MediaCallObserver;
import javax.telephony.media.MediaTerminalConnection;
import javax.telephony.media.events.MediaTermConnDtmfEv;

/**
 * Cisco's JTAPI client on a string: reads one command a line from standard input, calls the
 * client, and prints every answer ("ok …", "error …") and event ("event …") as one line.
 */
public class JtapiDriver
    implements ProviderObserver, TerminalObserver, AddressObserver, CallControlCallObserver,
        MediaCallObserver, RouteCallback {

    private CiscoProvider provider;
    private volatile String[] route = {};
    private volatile InetAddress mediaAddress;
    private volatile int mediaPort;

    /** The newest call at each address, and calls that were given a name with "keep". */
    private final Map<String, CiscoCall> calls = new ConcurrentHashMap<>();

    static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    public static void main(String[] args) throws Exception {
        JtapiDriver driver = new JtapiDriver();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null; ) {
            String[] words = line.trim().split("\\s+");
            try {
                say("ok " + driver.obey(words));
            } catch (Throwable error) {
                String code =
                    error instanceof CiscoJtapiException
                        ? " " + Integer.toHexString(((CiscoJtapiException) error).getErrorCode())
                        : "";
                say("error " + error.getClass().getSimpleName() + code + " " + error.getMessage());
            }
        }
        System.exit(0);
    }

    private Address address(String number) throws Exception {
        return provider.getAddress(number);
    }

    private TerminalConnection ours(CiscoCall call, String number) throws Exception {
        for (Connection connection : call.getConnections())
            if (connection.getAddress().getName().equals(number)
                && connection.getTerminalConnections() != null)
                return connection.getTerminalConnections()[0];
        throw new IllegalStateException("no terminal connection of " + number);
    }

    private CallControlConnection connection(CiscoCall call, String number) {
        for (Connection connection : call.getConnections())
            if (connection.getAddress().getName().equals(number))
                return (CallControlConnection) connection;
        throw new IllegalStateException("no connection of " + number);
    }

    private static CallControlTerminalConnection controlled(TerminalConnection connection) {
        return (CallControlTerminalConnection) connection;
    }

    private static CiscoMediaCapability[] g711() {
        return new CiscoMediaCapability[] {CiscoMediaCapability.G711_64K_30_MILLISECONDS};
    }

    private CiscoTerminal terminal(String name) throws Exception {
        return (CiscoTerminal) provider.getTerminal(name);
    }

    private void watch(String number) throws Exception {
        Address address = address(number);
        address.addObserver(this);
        address.addCallObserver(this);
    }

    private String obey(String[] w) throws Exception {
        switch (w[0]) {
            case "open": {  // host user password
                CiscoJtapiPeer peer = (CiscoJtapiPeer) JtapiPeerFactory.getJtapiPeer(null);
                provider =
                    (CiscoProvider)
                        peer.getProvider(w[1] + ";login=" + w[2] + ";passwd=" + w[3]);
                provider.addObserver(this);
                return "opened";
            }
            case "state":
                return "provider " + provider.getState() + " " + provider.getVersion();
            case "list": {
                StringBuilder text = new StringBuilder();
                for (Terminal terminal : provider.getTerminals())
                    text.append(kind(terminal)).append(":").append(terminal.getName()).append(" ");
                for (Address address : provider.getAddresses())
                    text.append("Address:").append(address.getName()).append(" ");
                return text.toString().trim();
            }
            case "observe": {  // number
                Address address = address(w[1]);
                for (Terminal terminal : address.getTerminals()) terminal.addObserver(this);
                watch(w[1]);
                return "observing " + w[1];
            }
            case "states": {  // number: every connection of its newest call
                StringBuilder text = new StringBuilder();
                for (Connection connection : calls.get(w[1]).getConnections()) {
                    text.append(connection.getAddress().getName()).append("=");
                    text.append(((CallControlConnection) connection).getCallControlState());
                    if (connection.getTerminalConnections() != null)
                        for (TerminalConnection each : connection.getTerminalConnections())
                            text.append("/")
                                .append(each.getTerminal().getName())
                                .append("=")
                                .append(controlled(each).getCallControlState());
                    text.append(" ");
                }
                return text.toString().trim();
            }
            case "register": {  // route-point-terminal none|dynamic number
                CiscoRouteTerminal terminal = (CiscoRouteTerminal) provider.getTerminal(w[1]);
                terminal.addObserver(this);
                if (w[2].equals("none"))
                    terminal.register(null, CiscoRouteTerminal.NO_MEDIA_REGISTRATION);
                else
                    terminal.register(
                        g711(),
                        CiscoRouteTerminal.DYNAMIC_MEDIA_REGISTRATION);
                Address address = address(w[3]);
                address.addObserver(this);
                ((RouteAddress) address).registerRouteCallback(this);
                return "registered " + w[1];
            }
            case "port": {  // cti-port-terminal ip udp-port number
                CiscoMediaTerminal terminal = (CiscoMediaTerminal) provider.getTerminal(w[1]);
                terminal.addObserver(this);
                terminal.register(InetAddress.getByName(w[2]), Integer.parseInt(w[3]), g711());
                watch(w[4]);
                return "registered " + w[1];
            }
            case "dynamicport": {  // cti-port-terminal ip udp-port number
                CiscoMediaTerminal terminal = (CiscoMediaTerminal) provider.getTerminal(w[1]);
                terminal.addObserver(this);
                mediaAddress = InetAddress.getByName(w[2]);
                mediaPort = Integer.parseInt(w[3]);
                terminal.register(g711());
                watch(w[4]);
                return "registered " + w[1];
            }
            case "autoaccept": {  // number terminal
                ((CiscoAddress) address(w[1]))
                    .setAutoAcceptStatus(CiscoAddress.AUTOACCEPT_ON, terminal(w[2]));
                return "accepting";
            }
            case "terminal": {  // name: what a super provider does
                return "created " + ((CiscoProvider) provider).createTerminal(w[1]).getName();
            }
            case "observeterminal": {  // name, with its device states
                CiscoTerminal terminal = terminal(w[1]);
                CiscoTermEvFilter filter = terminal.getFilter();
                filter.setDeviceStateActiveEvFilter(true);
                filter.setDeviceStateAlertingEvFilter(true);
                filter.setDeviceStateHeldEvFilter(true);
                filter.setDeviceStateIdleEvFilter(true);
                filter.setDeviceDataEnabled(true);
                terminal.setFilter(filter);
                terminal.addObserver(this);
                return "observing " + w[1];
            }
            case "dnd":  // terminal on|off
                terminal(w[1]).setDNDStatus(w[2].equals("on"));
                return "dnd " + terminal(w[1]).getDNDStatus();
            case "data":  // terminal text
                terminal(w[1]).sendData(w[2]);
                return "sent";
            case "forward": {  // number target|none
                CallControlAddress address = (CallControlAddress) address(w[1]);
                if (w[2].equals("none")) address.cancelForwarding();
                else
                    address.setForwarding(
                        new CallControlForwarding[] {new CallControlForwarding(w[2])});
                return "forwarded";
            }
            case "forwarding": {  // number
                CallControlForwarding[] all = ((CallControlAddress) address(w[1])).getForwarding();
                return "forwarding " + (all == null || all.length == 0
                    ? "none" : all[0].getDestinationAddress());
            }
            case "mwi":  // number on|off
                ((CallControlAddress) address(w[1])).setMessageWaiting(w[2].equals("on"));
                return "message waiting";
            case "media":  // ip udp-port: where what is registered dynamically receives
                mediaAddress = InetAddress.getByName(w[1]);
                mediaPort = Integer.parseInt(w[2]);
                return "media";
            case "unregister": {
                Terminal terminal = provider.getTerminal(w[1]);
                if (terminal instanceof CiscoRouteTerminal)
                    ((CiscoRouteTerminal) terminal).unregister();
                else ((CiscoMediaTerminal) terminal).unregister();
                return "unregistered " + w[1];
            }
            case "routes":  // the list for every later routeEvent
                route = Arrays.copyOfRange(w, 1, w.length);
                return "routes " + String.join(",", route);
            case "call": {  // from to
                Address from = address(w[1]);
                CiscoCall call = (CiscoCall) provider.createCall();
                call.connect(from.getTerminals()[0], from, w[2]);
                calls.put(w[1], call);
                return "calling";
            }
            case "keep":  // number name
                calls.put(w[2], calls.get(w[1]));
                return "kept";
            case "accept":
                connection(calls.get(w[1]), w[1]).accept();
                return "accepted";
            case "reject":
                connection(calls.get(w[1]), w[1]).reject();
                return "rejected";
            case "answer":  // number, and the terminal where it has several
                for (TerminalConnection each :
                        connection(calls.get(w[1]), w[1]).getTerminalConnections())
                    if (w.length < 3 || each.getTerminal().getName().equals(w[2])) {
                        each.answer();
                        break;
                    }
                return "answered";
            case "hold":
                controlled(ours(calls.get(w[1]), w[1])).hold();
                return "held";
            case "retrieve":  // number, and the call's name if it is not the newest
                controlled(ours(calls.get(w[w.length - 1]), w[1])).unhold();
                return "retrieved";
            case "redirect":
                connection(calls.get(w[1]), w[1]).redirect(w[2]);
                return "redirected";
            case "consult": {  // number destination: the first call is kept as "first"
                CiscoCall first = calls.get(w[1]);
                CiscoCall second = (CiscoCall) provider.createCall();
                calls.put("first", first);
                second.consult(ours(first, w[1]), w[2]);
                calls.put("second", second);
                return "consulting";
            }
            case "transfer":  // first second
                calls.get(w[1]).transfer(calls.get(w[2]));
                return "transferred";
            case "transferto":  // number destination
                calls.get(w[1]).setTransferController(ours(calls.get(w[1]), w[1]));
                calls.get(w[1]).transfer(w[2]);
                return "transferred";
            case "conference": {  // first second ...
                Call[] others = new Call[w.length - 2];
                for (int i = 0; i < others.length; i++) others[i] = calls.get(w[i + 2]);
                if (others.length == 1) calls.get(w[1]).conference(others[0]);
                else calls.get(w[1]).conference(others);
                return "conferenced";
            }
            case "park":
                return "parked at " + ((CiscoConnection) connection(calls.get(w[1]), w[1])).park();
            case "unpark":  // number park-number
                terminal(address(w[1]).getTerminals()[0].getName()).unPark(address(w[1]), w[2]);
                return "unparked";
            case "digits":  // number digits
                ((MediaTerminalConnection) ours(calls.get(w[1]), w[1])).generateDtmf(w[2]);
                return "digits sent";
            case "drop":
                calls.get(w[1]).drop();
                return "dropped";
            case "disconnect":
                connection(calls.get(w[1]), w[1]).disconnect();
                return "disconnected";
            case "shutdown":
                provider.shutdown();
                return "shut down";
            default:
                throw new IllegalArgumentException("unknown command " + w[0]);
        }
    }

    private static String kind(Terminal terminal) {
        return terminal instanceof CiscoRouteTerminal
            ? "RouteTerminal"
            : terminal instanceof CiscoMediaTerminal ? "MediaTerminal" : "Terminal";
    }

    public void providerChangedEvent(ProvEv[] events) {
        for (ProvEv event : events) say("event " + event);
    }

    public void terminalChangedEvent(TermEv[] events) {
        for (TermEv event : events) {
            if (event instanceof CiscoRTPInputStartedEv) {
                CiscoRTPInputProperties p = ((CiscoRTPInputStartedEv) event).getRTPInputProperties();
                say("event RTPInput " + p.getLocalAddress().getHostAddress() + ":" + p.getLocalPort());
            } else if (event instanceof CiscoRTPOutputStartedEv) {
                CiscoRTPOutputProperties p =
                    ((CiscoRTPOutputStartedEv) event).getRTPOutputProperties();
                say("event RTPOutput "
                    + p.getRemoteAddress().getHostAddress() + ":" + p.getRemotePort());
            } else if (event instanceof CiscoMediaOpenLogicalChannelEv) {
                say("event OpenLogicalChannel");
                openChannel((CiscoMediaOpenLogicalChannelEv) event);
            } else say("event " + event);
        }
    }

    private void openChannel(CiscoMediaOpenLogicalChannelEv event) {
        CiscoRTPParams here = new CiscoRTPParams(mediaAddress, mediaPort);
        try {
            Terminal terminal = event.getTerminal();
            if (terminal instanceof CiscoRouteTerminal)
                ((CiscoRouteTerminal) terminal).setRTPParams(event.getCiscoRTPHandle(), here);
            else ((CiscoMediaTerminal) terminal).setRTPParams(event.getCiscoRTPHandle(), here);
        } catch (Exception error) {
            say("event setRTPParamsFailed " + error);
        }
    }

    public void addressChangedEvent(AddrEv[] events) {
        for (AddrEv event : events) say("event " + event);
    }

    public void callChangedEvent(CallEv[] events) {
        for (CallEv event : events) {
            CiscoCall call = (CiscoCall) event.getCall();
            if (event instanceof ConnCreatedEv)
                calls.put(((ConnEv) event).getConnection().getAddress().getName(), call);
            if (event instanceof MediaTermConnDtmfEv)
                say("event digit " + ((MediaTermConnDtmfEv) event).getDtmfDigit());
            else say("event " + event + (event instanceof ConnEv
                ? " at " + ((ConnEv) event).getConnection().getAddress().getName() : ""));
        }
    }

    public void routeEvent(RouteEvent event) {
        Address calling = event.getCallingAddress();
        say("event routeEvent calling=" + (calling == null ? "" : calling.getName())
            + " current=" + event.getCurrentRouteAddress().getName());
        if (route.length == 0) return;
        try {
            event.getRouteSession().selectRoute(route);
        } catch (Exception error) {
            say("event selectRouteFailed " + error);
        }
    }

    public void reRouteEvent(ReRouteEvent event) {
        say("event reRouteEvent cause=" + event.getRouteSession().getCause());
        try {
            event.getRouteSession().endRoute(RouteSession.ERROR_UNKNOWN);
        } catch (Exception error) {
            say("event endRouteFailed " + error);
        }
    }

    public void routeUsedEvent(RouteUsedEvent event) {
        say("event routeUsedEvent " + event.getRouteUsed());
        try {
            event.getRouteSession().endRoute(CiscoRouteSession.ERROR_NONE);
        } catch (Exception error) {
            say("event endRouteFailed " + error);
        }
    }

    public void routeEndEvent(RouteEndEvent event) {
        say("event routeEndEvent cause=" + event.getRouteSession().getCause());
    }

    public void routeCallbackEndedEvent(RouteCallbackEndedEvent event) {
        say("event routeCallbackEndedEvent");
    }
}
