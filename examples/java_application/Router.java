import java.util.Map;
import javax.telephony.JtapiPeerFactory;
import javax.telephony.Provider;
import javax.telephony.callcenter.RouteAddress;
import javax.telephony.callcenter.RouteCallback;
import javax.telephony.callcenter.RouteSession;
import javax.telephony.callcenter.events.*;
import javax.telephony.events.ProvEv;
import javax.telephony.events.ProvInServiceEv;
import com.cisco.jtapi.extensions.CiscoRouteTerminal;

/**
 * A route point: sends each caller of 6000 to its agent. Plain JTAPI but for the registration of
 * the route terminal, which is Cisco's.
 *
 * <p>java -cp jtapi.jar:. Router address-of-the-CTI-manager user password
 */
public class Router implements RouteCallback {
    private static final String NUMBER = "6000";
    private static final Map<String, String> AGENTS = Map.of("1001", "2001", "1002", "2002");

    public static void main(String[] arguments) throws Exception {
        Provider provider =
            JtapiPeerFactory.getJtapiPeer(null)
                .getProvider(
                    arguments[0] + ";login=" + arguments[1] + ";passwd=" + arguments[2]);
        Object inService = new Object();
        provider.addObserver(
            events -> {
                for (ProvEv event : events)
                    if (event instanceof ProvInServiceEv)
                        synchronized (inService) {
                            inService.notifyAll();
                        }
            });
        synchronized (inService) {
            while (provider.getState() != Provider.IN_SERVICE) inService.wait(100);
        }
        RouteAddress address = (RouteAddress) provider.getAddress(NUMBER);
        CiscoRouteTerminal terminal = (CiscoRouteTerminal) address.getTerminals()[0];
        terminal.register(null, CiscoRouteTerminal.NO_MEDIA_REGISTRATION);
        address.registerRouteCallback(new Router());
        Thread.currentThread().join();
    }

    @Override
    public void routeEvent(RouteEvent event) {
        String caller = event.getCallingAddress().getName();
        try {
            // Tried in order: the second when the first cannot take the call.
            event.getRouteSession()
                .selectRoute(new String[] {AGENTS.getOrDefault(caller, "2000"), "2999"});
        } catch (Exception error) {
            System.out.println("routing " + caller + ": " + error);
        }
    }

    @Override
    public void routeUsedEvent(RouteUsedEvent event) {
        end(event.getRouteSession(), 0);
    }

    @Override
    public void reRouteEvent(ReRouteEvent event) {
        end(event.getRouteSession(), RouteSession.ERROR_UNKNOWN);
    }

    @Override
    public void routeEndEvent(RouteEndEvent event) {}

    @Override
    public void routeCallbackEndedEvent(RouteCallbackEndedEvent event) {}

    private static void end(RouteSession session, int error) {
        try {
            session.endRoute(error);
        } catch (Exception failure) {
            System.out.println("ending a route: " + failure);
        }
    }
}
