sed -i 's/\[a\](int number) { return number \* a; }/[a, b](int number) { return number * a + b; }/' app.cpp
