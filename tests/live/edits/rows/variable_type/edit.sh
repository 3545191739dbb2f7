sed -i 's/static int total/static float total/' app.cpp
