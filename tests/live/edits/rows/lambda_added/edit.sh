sed -i 's/max_element(values, values + 3)/max_element(values, values + 3, [](int x, int y) { return x * x < y * y; })/' app.cpp
