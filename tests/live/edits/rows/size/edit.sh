sed -i 's/static int limit/static long limit/' app.cpp
