#include "control/workers.hpp"

#include <utility>

#include "base/own_thread.hpp"

namespace moult::internal {

void Workers::start(Work work) {
  auto ended = std::make_shared<std::atomic<bool>>(false);
  workers_.push_back({ended, {}});
  try {
    workers_.back().thread = start_own_thread([work = std::move(work), ended](const std::stop_token& stop) {
      work(stop);
      ended->store(true);
    });
  } catch (...) {
    workers_.pop_back();
    throw;
  }
}

void Workers::reap() {
  workers_.remove_if([](const Worker& worker) { return worker.ended->load(); });
}

void Workers::stop_all() {
  for (Worker& worker : workers_) worker.thread.request_stop();
  workers_.clear();
}

}  // namespace moult::internal
