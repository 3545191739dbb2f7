// Why: a thread that accesses an object which is watched waits in the kernel, and somebody has to bring the object
// back.
//
// How: one thread reads the userfaultfd and never does more than copy a chunk's pages, so that it is always there for
// the next one. What is to be visited first is done by another thread, in a stop of its own.
//
// Who may do what. The reader is wakeful (threads/service_threads.hpp): a stop does not ask it, and it serves whoever
// touches objects in a stopped program. It runs no code of the program's and waits for nobody who may be stopped. It
// does its work in a stop, too, as that changes nothing that a stopper looks at but what is there to be touched. The
// visiting thread is stopped like any other, or stops the others itself.
//
// (Conversion at first use has threads of its own, which run transformers while the program runs, and wait for one
// another. The two never watch the same memory.)
#include "convert/access_server.hpp"

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include "base/fault.hpp"
#include "convert/progressive_access.hpp"
#include "platform/memory.hpp"
#include "platform/tasks.hpp"
#include "threads/service_threads.hpp"
#include "threads/stop_mutex.hpp"

namespace moult::internal {
namespace {

using std::chrono::milliseconds;

}  // namespace

std::shared_ptr<AccessServer> AccessServer::get() {
  return OneServer<AccessServer>::get(
      ForkPlace::accesses, {.before = before_fork, .in_child = in_child}, [] { return new AccessServer; },
      [](AccessServer& server) { server.start(); });
}

AccessServer::~AccessServer() = default;

void AccessServer::start() {
  MOULT_FAULT("watch.fault_handler.start");
  if (!visitor_.joinable()) visitor_ = std::jthread([this] { run_visits(); });
  if (!reader_.joinable()) reader_ = std::jthread([this] { read_touches(); });
  is_awake_.wait(false);  // a stop that met one which has not begun yet would fail
}

void AccessServer::add(std::shared_ptr<ProgressiveAccess> access) {
  MOULT_FAULT("watch.fault_handler.add");
  accesses_.with([&](auto& watchers) { watchers.add(std::move(access)); });
}

void AccessServer::remove(const ProgressiveAccess& access) noexcept {
  accesses_.with([&](auto& watchers) { return watchers.take(access); });  // destroyed without the lock
}

std::vector<std::shared_ptr<ProgressiveAccess>> AccessServer::unfinished() {
  const std::shared_ptr<AccessServer> server = OneServer<AccessServer>::if_made();
  if (server == nullptr) return {};
  return server->accesses_.with([](const auto& watchers) { return watchers.all(); });
}

std::shared_ptr<ProgressiveAccess> AccessServer::find(const std::byte* page) const {
  return accesses_.with([page](const auto& watchers) { return watchers.at(page); });
}

void AccessServer::read_touches() {
  const ServiceThread here;
  is_awake_ = true;
  is_awake_.notify_all();
  name_this_thread("moult access");
  for (;;) {
    std::optional<MissingPage> missing = pages_.next();
    if (!missing) continue;
    try {
      serve(*missing);
    } catch (const std::bad_alloc&) {  // whoever waits goes on, touches the page again and is asked for again
      std::this_thread::sleep_for(until_there_is_memory);
      pages_.wake(missing->page, page_size());
    }
  }
}

void AccessServer::serve(const MissingPage& missing) {
  Requests request{find(missing.page)};
  ProgressiveAccess* const access = request.front().get();
  if (access == nullptr) return pages_.fill_with_zeros(missing.page, page_size());
  access->resolve(missing);
  // Also lest the access end here, and the visitor's destructor touch what only this thread could bring back.
  if (access->has_visitor()) visit(std::move(request));
}

void AccessServer::visit(Requests requests) noexcept {
  to_visit_.with([&](Requests& wanted) { wanted.splice(wanted.end(), requests); });
  to_visit_.notify();
}

std::shared_ptr<ProgressiveAccess> AccessServer::next_to_visit() {
  return to_visit_.wait_until(
      std::chrono::steady_clock::now() + std::chrono::hours(1), [](const Requests& wanted) { return !wanted.empty(); },
      [](Requests& wanted, bool is_ready) -> std::shared_ptr<ProgressiveAccess> {
        if (!is_ready) return nullptr;
        std::shared_ptr<ProgressiveAccess> first = std::move(wanted.front());
        wanted.pop_front();
        return first;
      });
}

void AccessServer::run_visits() {
  name_this_thread("moult visit");
  for (;;) {
    std::shared_ptr<ProgressiveAccess> access = next_to_visit();
    while (access != nullptr) try {
        if (access->visit_wanted()) access = nullptr;
      } catch (const std::bad_alloc&) {
        std::this_thread::sleep_for(until_there_is_memory);
      }
  }
}

void AccessServer::before_fork() noexcept {
  const AboutToFork here;
  for (const std::shared_ptr<ProgressiveAccess>& each : unfinished()) each->let_go();
}

/// The threads are the parent's, and so is what is watched.
void AccessServer::in_child() noexcept {
  forget_service_threads();
  OneServer<AccessServer>::forget();
}

}  // namespace moult::internal
