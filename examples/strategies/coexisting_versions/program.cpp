// A heating with one dial, in degrees Celsius. Each visitor is one call of `visit`, which lasts until the visitor
// leaves.
#include <iostream>

#include "dial.hpp"

MOULT_UPDATABLE Dial::Dial(int celsius) : celsius_(celsius) {}
MOULT_UPDATABLE int Dial::celsius() const { return celsius_; }
MOULT_UPDATABLE void Dial::set_celsius(int celsius) { celsius_ = celsius; }

const std::unique_ptr<Dial> dial = std::make_unique<Dial>(20);

MOULT_UPDATABLE void visit(const std::string& name, Requests& requests) {
  std::cout << name << " reads " << dial->celsius() << " C" << std::endl;
  while (std::optional<std::string> request = requests.next()) {
    if (*request != "looks") dial->set_celsius(std::stoi(*request));
    std::cout << name << " reads " << dial->celsius() << " C" << std::endl;
  }
}

int main() {
  const moult::Listener listener;
  receive_visitors(visit);
}
