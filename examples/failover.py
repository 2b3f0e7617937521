"""The whole story: PA1 dies, PA2 stands in under PA1's identity, PA1 comes home.

Separate processes for the call manager and both servers, real calls, real audio; the same as
``pa-telephony demo``. Writes demo-out/.
"""

from pa_telephony.__main__ import main

if __name__ == "__main__":
    main("demo")
