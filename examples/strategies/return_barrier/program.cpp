// A chat: each visitor is one call of `chat`, which lasts until the visitor leaves.
#include <moult/moult.hpp>

#include <iostream>

#include "visitors.hpp"

MOULT_UPDATABLE void chat(const std::string& name, Requests& requests) {
  std::cout << name << " is here" << std::endl;
  while (std::optional<std::string> text = requests.next()) std::cout << name << ": " << *text << std::endl;
  std::cout << name << " is gone" << std::endl;
}

int main() {
  const moult::Listener listener;
  receive_visitors(chat);
}
