#include "base/progress.hpp"

#include <algorithm>

namespace moult::internal {
namespace {

ProgressBoard unseen;
std::atomic<ProgressBoard*> seen{nullptr};

ProgressBoard& board() noexcept {
  ProgressBoard* const hung_up = seen.load(std::memory_order_acquire);
  return hung_up != nullptr ? *hung_up : unseen;
}

}  // namespace

void hang_up_progress_board(ProgressBoard* board) noexcept { seen.store(board, std::memory_order_release); }

ProgressScope::ProgressScope(std::string_view what, std::uint64_t objects, std::uint64_t steps_each) noexcept
    : board_(board()) {
  const std::size_t size = std::min(what.size(), board_.what.size() - 1);
  std::copy_n(what.data(), size, board_.what.begin());
  board_.what[size] = '\0';
  board_.steps_each.store(steps_each, std::memory_order_relaxed);
  board_.done.store(0, std::memory_order_relaxed);
  board_.total.store(objects * steps_each, std::memory_order_relaxed);
  board_.number.fetch_add(1, std::memory_order_release);
}

ProgressScope::~ProgressScope() { board_.number.fetch_add(1, std::memory_order_release); }

}  // namespace moult::internal
