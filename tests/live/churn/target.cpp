// A program whose threads come and go, each with work of its own. Says "ready", then answers each line with what was
// done so far.
#include "target.hpp"

#include <atomic>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "life.hpp"

MOULT_UPDATABLE int version() { return 1; }

MOULT_UPDATABLE Couple::Couple(int value) : left(value), right(value + 1) {}
MOULT_UPDATABLE bool Couple::is_sound() const { return right == left + 1; }
MOULT_UPDATABLE void Couple::step() {
  ++left;
  ++right;
}

namespace {

std::atomic<int> wrong = 0;

struct Shared {
  std::mutex mutex;
  std::vector<std::unique_ptr<Couple>> couples;
};

void count_if(bool is_wrong) {
  if (is_wrong) ++wrong;
}

void use(Couple& couple) {
  const int before = couple.left;
  couple.step();
  count_if(!couple.is_sound() || couple.left != before + 1);
}

/// What every thread does in its short life.
void work(Shared& shared, int number) {
  const auto own = std::make_unique<Couple>(number);
  for (int round = 0; round < 10; ++round) {
    const int seen = version();
    count_if(seen != 1 && seen != 2);
    use(*own);
    const std::lock_guard lock(shared.mutex);
    use(*shared.couples[static_cast<std::size_t>(number + round) % shared.couples.size()]);
  }
}

}  // namespace

int main() {
  const moult::Listener listener;
  Shared shared;
  for (int i = 0; i < 10'000; ++i) shared.couples.push_back(std::make_unique<Couple>(i));
  auto life = std::make_unique<Life>([&](int number, bool) { work(shared, number); });
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);)
    std::cout << version() << " " << wrong + life->failures() << " " << life->threads() << " " << life->children()
              << std::endl;
  const int failures = life->failures();
  life.reset();
  return wrong + failures == 0 ? 0 : 1;
}
