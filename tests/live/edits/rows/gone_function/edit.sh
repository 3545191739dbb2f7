sed -i '/static int handler/d; s/kept = handler/std::puts("")/; s/  sink = number;/  sink = std::atoi("4") * number;/' app.cpp
