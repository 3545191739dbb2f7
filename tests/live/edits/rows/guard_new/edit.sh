sed -i 's/static int n = 0/static int n = std::atoi("0")/' app.cpp
