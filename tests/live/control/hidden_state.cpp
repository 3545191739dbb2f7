// A program that answers each line of its input with a greeting, and counts them. Compiled with hidden visibility.
#include "hidden_state.hpp"

#include <iostream>

#include "moult/moult.hpp"

static int last_number = 100;

[[gnu::visibility("hidden"), gnu::noinline]] std::string numbered(const std::string& text) {
  return std::to_string(last_number++) + " " + text;
}

MOULT_UPDATABLE std::string greet(const std::string& name) {
  Visitors::all().names.push_back(name);
  ++visits;
  ++Counted<int>::value;
  return numbered(Greeting().to(name));
}

int main() {
  const moult::Listener listener;
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    const std::string greeting = greet(line);
    std::cout << greeting << " " << Visitors::all().names.size() << visits << Counted<int>::value << std::endl;
  }
}
