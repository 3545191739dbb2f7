// Ten thousand odd integers. Every two seconds five of them form a new series. Each line shows the first series and the
// latest one.
#include <algorithm>
#include <iostream>
#include <memory>
#include <random>
#include <thread>

#include "data.hpp"
#include "pace.hpp"

MOULT_UPDATABLE Integer::Integer(int value) : value_(value) {}
MOULT_UPDATABLE int Integer::value() const { return value_; }

Serie::Serie(std::vector<const Integer*> integers) : integers_(std::move(integers)) {
  std::sort(integers_.begin(), integers_.end(),
            [](const Integer* left, const Integer* right) { return left->value() < right->value(); });
}

MOULT_UPDATABLE std::string Serie::text() const {
  std::string text;
  for (const Integer* integer : integers_) text += std::to_string(integer->value()) + " ";
  return text;
}

static Serie pick(const std::vector<std::unique_ptr<Integer>>& integers) {
  static std::mt19937 random(std::random_device{}());
  std::uniform_int_distribution<std::size_t> index(0, integers.size() - 1);
  std::vector<const Integer*> picked;
  for (int i = 0; i < 5; ++i) picked.push_back(integers[index(random)].get());
  return Serie(std::move(picked));
}

int main() {
  const moult::Listener listener;
  moult::ThreadedManager manager("main");
  std::vector<std::unique_ptr<Integer>> integers;
  for (int i = 0; i < 10'000; ++i) integers.push_back(std::make_unique<Integer>(2 * i + 1));
  const Serie first = pick(integers);
  const std::chrono::milliseconds period = pace(std::chrono::seconds(2));
  for (;;) {
    std::cout << first.text() << "| " << pick(integers).text() << std::endl;
    std::this_thread::sleep_for(period);
  }
}
