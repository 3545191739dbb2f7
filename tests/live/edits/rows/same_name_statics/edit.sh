sed -i 's/  .. HERE/if (k == 3) { static int n = 500; return ++n; }/' app.cpp
