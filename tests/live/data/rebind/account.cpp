#include "account.hpp"

#include "update.hpp"

std::atomic<int> broken{0};
std::atomic<int> alive{0};

Account::Account(std::uint64_t wanted) : Account(wanted, 0) {}
Account::Account(std::uint64_t wanted, std::uint64_t times)
    : left(wanted), right(total - wanted), self(this), conversions(times) {
  ++alive;
}
Account::Account(Account&& other) noexcept
    : left(other.left), right(other.right), self(this), conversions(other.conversions) {
  ++alive;
}
Account::~Account() {
  if (!holds()) ++broken;
  left = right = 0;
  self = nullptr;
  --alive;
}
bool Account::holds() const { return left + right == total && self == this; }
void Account::move(std::uint64_t much) {
  left -= much;
  right += much;
}
