import com.cisco.jtapi.extensions.*;
import java.io.*;
import java.net.InetAddress;
import java.util.*;
import javax.telephony.*;
import javax.telephony.callcenter.*;
import javax.telephony.callcenter.events.*;
import javax.telephony.callcontrol.*;
import javax.telephony.callcontrol.events.*;
import javax.telephony.events.*;

/**
 * Cisco's JTAPI client on a string: reads one command a line from standard input, calls the
 * client, and prints every answer ("ok …", "error …") and event ("event …") as one line.
 */
public class JtapiDriver
    implements ProviderObserver, TerminalObserver, AddressObserver, CallControlCallObserver,
        RouteCallback {

    private CiscoProvider provider;
    private String[] route = {};
    private final Map<String, CiscoCall> calls = new HashMap<>();

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
                address.addObserver(this);
                address.addCallObserver(this);
                address.getTerminals()[0].addObserver(this);
                return "observing " + w[1];
            }
            case "register": {  // route-point-terminal none|dynamic number
                CiscoRouteTerminal terminal = (CiscoRouteTerminal) provider.getTerminal(w[1]);
                terminal.addObserver(this);
                if (w[2].equals("none"))
                    terminal.register(null, CiscoRouteTerminal.NO_MEDIA_REGISTRATION);
                else
                    terminal.register(
                        new CiscoMediaCapability[] {CiscoMediaCapability.G711_64K_30_MILLISECONDS},
                        CiscoRouteTerminal.DYNAMIC_MEDIA_REGISTRATION);
                Address address = address(w[3]);
                address.addObserver(this);
                ((RouteAddress) address).registerRouteCallback(this);
                return "registered " + w[1];
            }
            case "port": {  // cti-port-terminal ip udp-port number
                CiscoMediaTerminal terminal = (CiscoMediaTerminal) provider.getTerminal(w[1]);
                terminal.addObserver(this);
                terminal.register(
                    InetAddress.getByName(w[2]),
                    Integer.parseInt(w[3]),
                    new CiscoMediaCapability[] {CiscoMediaCapability.G711_64K_30_MILLISECONDS});
                Address address = address(w[4]);
                address.addObserver(this);
                address.addCallObserver(this);
                return "registered " + w[1];
            }
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
            case "accept":
                connection(calls.get(w[1]), w[1]).accept();
                return "accepted";
            case "answer":
                ours(calls.get(w[1]), w[1]).answer();
                return "answered";
            case "hold":
                ((CallControlTerminalConnection) ours(calls.get(w[1]), w[1])).hold();
                return "held";
            case "retrieve":
                ((CallControlTerminalConnection) ours(calls.get(w[1]), w[1])).unhold();
                return "retrieved";
            case "redirect":
                connection(calls.get(w[1]), w[1]).redirect(w[2]);
                return "redirected";
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
            } else say("event " + event);
        }
    }

    public void addressChangedEvent(AddrEv[] events) {
        for (AddrEv event : events) say("event " + event);
    }

    public void callChangedEvent(CallEv[] events) {
        for (CallEv event : events) {
            CiscoCall call = (CiscoCall) event.getCall();
            if (event instanceof ConnEv)
                calls.put(((ConnEv) event).getConnection().getAddress().getName(), call);
            say("event " + event + (event instanceof ConnEv
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
