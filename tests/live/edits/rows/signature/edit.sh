sed -i 's/int sum(int a, int b) { return a + b; }/long sum(long a, const char* b, int c) { return a + b[0] + c; }/' app.cpp
sed -i 's/sum(number, number)/static_cast<int>(sum(number, "a", number))/; s/sum(number, 1)/static_cast<int>(sum(number, "b", 1))/' app.cpp
