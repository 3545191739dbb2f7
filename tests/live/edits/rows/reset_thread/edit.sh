sed -i 's/own = 1/own = 10/' app.cpp
