#include "convert/wait_for_graph.hpp"

#include <algorithm>

#include "platform/tasks.hpp"

namespace moult::internal {

Claim::Claim(Claims& claims, Manner manner) : claims_(claims), task_(own_task()), manner_(manner) {
  claims_.all_.with([this](std::vector<Claim*>& all) { all.push_back(this); });
}

Claim::~Claim() {
  claims_.all_.with([this](std::vector<Claim*>& all) { std::erase(all, this); });
}

void Claim::hold(std::byte* slots, std::size_t size, const std::byte* bytes) noexcept {
  claims_.all_.with([&](std::vector<Claim*>&) {
    slots_ = slots;
    size_ = size;
    bytes_ = bytes;
  });
}

bool Claim::end() noexcept {
  return claims_.all_.with([this](std::vector<Claim*>&) {
    slots_ = nullptr;
    size_ = 0;
    return is_shown();
  });
}

bool Claims::note_wait(const MissingPage& missing) {
  return all_.with([&](std::vector<Claim*>& all) {
    bool is_converter = false;
    for (Claim* claim : all) {
      if (claim->task_ != missing.task) continue;
      claim->awaits_ = missing.page;
      is_converter = true;
    }
    return is_converter;
  });
}

bool Claims::is_converting_in_place(pid_t task) {
  return all_.with([=](std::vector<Claim*>& all) {
    return std::any_of(all.begin(), all.end(),
                       [=](const Claim* claim) { return claim->task_ == task && claim->manner_ == Manner::in_place; });
  });
}

Claim* Claims::holder_of(const std::vector<Claim*>& all, const std::byte* page) noexcept {
  auto found = std::find_if(all.begin(), all.end(), [page](const Claim* claim) {
    return claim->slots_ <= page && page < claim->slots_ + claim->size_;
  });
  return found == all.end() ? nullptr : *found;
}

void Claims::break_circle(const MissingPage& missing) {
  all_.with([&](std::vector<Claim*>& all) {
    Claim* wanted = holder_of(all, missing.page);
    Claim* next = wanted;
    for (std::size_t steps = 0; next != nullptr && next->task_ != missing.task; ++steps) {
      if (next->awaits_ == nullptr || steps > all.size()) return;
      next = holder_of(all, next->awaits_);
    }
    if (next == nullptr || wanted->is_shown_.exchange(true)) return;
    pages_.fill(wanted->slots_, wanted->size_, wanted->bytes_);
  });
}

}  // namespace moult::internal
