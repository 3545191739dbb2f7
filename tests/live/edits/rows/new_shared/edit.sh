# A source calls what is new in another one, which calls what is new in a third one.
echo 'int thrice(int number); extern int made; extern const int limits[2];' >>more.hpp
cat >>more.cpp <<'F'
int half(int number);
int made = 5;
extern const int limits[2] = {7, 8};
int thrice(int number) { return half(number) * 6 + made++ + hidden_count; }
F
cat >>other.cpp <<'F'
int half(int number) { return number / 2 + made; }
F
sed -i 's/twice(std::atoi(question))/thrice(std::atoi(question)) + made + limits[1]/' app.cpp
