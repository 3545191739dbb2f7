// Greets visitors: "visit NAME" greets and lets go, "stay NAME" greets and keeps the visitor until "leave".
#include <moult/moult.hpp>

#include <iostream>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

std::binary_semaphore door{0};

MOULT_UPDATABLE void greet(const std::string& name, bool stays) {
  std::cout << "hello " << name << std::endl;
  if (stays) door.acquire();  // in the middle of the call
  std::cout << "goodbye " << name << std::endl;
}

int main() {
  const moult::Listener listener;
  std::vector<std::jthread> visitors;
  for (std::string order, name; std::cin >> order;) {
    if (order == "leave") {
      door.release();
      continue;
    }
    std::cin >> name;
    if (order == "visit") greet(name, false);
    if (order == "stay") visitors.emplace_back([name] { greet(name, true); });
  }
}
