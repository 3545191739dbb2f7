// A program with a thousand objects of a class that has a pool, or as many as it is told, and three of a larger
// subclass.
#include "pools.hpp"

#include <iostream>
#include <memory>
#include <string>
#include <vector>

int main(int count, char** arguments) {
  moult::ThreadedManager manager("main");
  moult::Listener listener;
  const int wanted = count > 1 ? std::stoi(arguments[1]) : 1000;
  std::vector<std::unique_ptr<app::Data>> objects;
  for (int i = 0; i < wanted; ++i) objects.push_back(std::make_unique<app::Data>(i));
  std::vector<std::unique_ptr<app::LongData>> others;
  for (int i = 0; i < 3; ++i) others.push_back(std::make_unique<app::LongData>(i));
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) objects.push_back(std::make_unique<app::Data>(0));
}
