#include "card.hpp"

#include "update.hpp"

std::atomic<int> broken{0};

Card::Card(std::uint64_t wanted) : Card(wanted, 0) {}
Card::Card(std::uint64_t wanted, std::uint64_t times) : left(wanted), right(total - wanted), conversions(times) {}
bool Card::holds() const { return left + right == total; }
void Card::move(std::uint64_t much) {
  left -= much;
  right += much;
}
