// A program with a thousand objects of a class that has a pool, and three of a larger subclass.
#include "pools.hpp"

#include <iostream>
#include <memory>
#include <string>
#include <vector>

int main() {
  moult::ThreadedManager manager("main");
  moult::Listener listener;
  std::vector<std::unique_ptr<app::Data>> objects;
  for (int i = 0; i < 1000; ++i) objects.push_back(std::make_unique<app::Data>(i));
  std::vector<std::unique_ptr<app::LongData>> others;
  for (int i = 0; i < 3; ++i) others.push_back(std::make_unique<app::LongData>(i));
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) objects.push_back(std::make_unique<app::Data>(0));
}
