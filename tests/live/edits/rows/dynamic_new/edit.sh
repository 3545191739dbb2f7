# Each new variable is initialised once, in the order of the source, by new code.
sed -i 's/std::atoi(text); }/std::atoi(text) + 1; }/' app.cpp
sed -i 's/^int limit.*/&\n#include "more.inc"/; s/"%d", std::atoi(question) + limit/"%s", describe(std::atoi(question)).c_str()/' app.cpp
cat >more.inc <<'F'
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

int other = start(std::getenv("HOME") != nullptr ? "7" : "8");
namespace shop {
namespace {
const std::string first = "first " + std::to_string(other), second(first + ", second");
std::map<std::string, int> prices = {{"apple", other}, {first, 2}};
}
static std::vector<int> numbers{other, other};
std::unique_ptr<int> held(new int(9));
std::string names[2] = {second, "last"};
int registered = 0;
struct Registrar {
  explicit Registrar(int number) { registered += number; }
};
static Registrar registrar(3), another_registrar = Registrar(4);
}
static std::string describe(int question) {
  shop::numbers.push_back(question);
  std::cout << std::flush;
  std::string text = std::to_string(question + limit * 0 + other) + shop::names[0] + shop::names[1];
  text += std::to_string(shop::prices["apple"]) + " " + std::to_string(shop::prices.at(shop::first));
  return text + " " + std::to_string(shop::numbers.size()) + " " + std::to_string(*shop::held + shop::registered);
}
F
