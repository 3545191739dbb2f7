#include "convert/wait_for_graph.hpp"

#include <algorithm>

#include "platform/tasks.hpp"

namespace moult::internal {

HeldSlab::HeldSlab(WaitForGraph& graph, Manner manner) : graph_(graph), task_(own_task()), manner_(manner) {
  graph_.all_.with([this](std::vector<HeldSlab*>& all) { all.push_back(this); });
}

HeldSlab::~HeldSlab() {
  graph_.all_.with([this](std::vector<HeldSlab*>& all) { std::erase(all, this); });
}

void HeldSlab::hold(std::byte* slots, std::size_t size, const std::byte* bytes) noexcept {
  graph_.all_.with([&](std::vector<HeldSlab*>&) {
    slots_ = slots;
    size_ = size;
    bytes_ = bytes;
  });
}

bool HeldSlab::release() noexcept {
  return graph_.all_.with([this](std::vector<HeldSlab*>&) {
    slots_ = nullptr;
    size_ = 0;
    return is_mapped();
  });
}

bool WaitForGraph::note_wait(const MissingPage& missing) {
  return all_.with([&](std::vector<HeldSlab*>& all) {
    bool is_converter = false;
    for (HeldSlab* held : all) {
      if (held->task_ != missing.task) continue;
      held->waits_for_ = missing.page;
      is_converter = true;
    }
    return is_converter;
  });
}

bool WaitForGraph::is_converting_in_place(pid_t task) {
  return all_.with([=](std::vector<HeldSlab*>& all) {
    return std::any_of(all.begin(), all.end(),
                       [=](const HeldSlab* held) { return held->task_ == task && held->manner_ == Manner::in_place; });
  });
}

HeldSlab* WaitForGraph::holder_of(const std::vector<HeldSlab*>& all, const std::byte* page) noexcept {
  auto found = std::find_if(all.begin(), all.end(), [page](const HeldSlab* held) {
    return held->slots_ <= page && page < held->slots_ + held->size_;
  });
  return found == all.end() ? nullptr : *found;
}

void WaitForGraph::break_cycle(const MissingPage& missing) {
  all_.with([&](std::vector<HeldSlab*>& all) {
    HeldSlab* wanted = holder_of(all, missing.page);
    HeldSlab* next = wanted;
    for (std::size_t steps = 0; next != nullptr && next->task_ != missing.task; ++steps) {
      if (next->waits_for_ == nullptr || steps > all.size()) return;
      next = holder_of(all, next->waits_for_);
    }
    if (next == nullptr || wanted->is_mapped_.exchange(true)) return;
    pages_.fill(wanted->slots_, wanted->size_, wanted->bytes_);
  });
}

}  // namespace moult::internal
