// Why: a thread that touches an object that is not converted yet waits in the kernel, and somebody has to convert it.
//
// How: a few threads read the userfaultfd by turns. Whoever reads of a touch converts the chunk itself, and the others
// go on reading: so a touch costs one hand-over, and two chunks are converted at a time where there are two processors.
// One thread always reads. The last one takes up only what cannot wait, which are the touches of those who convert and
// of whoever has the program stopped, and has a new thread read in its place; others it leaves to those who are busy.
// (The kernel's SIGBUS feature would let the toucher convert by itself, eight times as fast, but would leave system
// calls that are given an object's address without an answer.)
//
// Who may do what. These threads are wakeful (threads/service_threads.hpp): a stop does not ask them, and waits for a
// conversion in progress. While the program stands still they convert for the stopper only. They take no lock of the
// program's but those that a transformer takes.
//
// Touches of converters. A transformer may look at other objects that wait to be converted: another thread converts
// their chunk meanwhile. In a circle, or in its own chunk, nobody could go on. Then the chunk that the circle closes at
// is shown with what is done so far (claims.hpp): objects not converted by then stay what they were, and are reported.
// So they are where transformers wait for one another deeper than there are threads.
//
// Chunks that are converted in place are handed over to slab_stops.hpp, unless whoever touched them has the program
// stopped, or converts for who has.
//
// Limits: touches by the kernel's own workers in a stop wait until it is over.
#include "convert/page_server.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>
#include <utility>

#include "base/fault.hpp"
#include "convert/lazy_conversion.hpp"
#include "moult/error.hpp"
#include "platform/memory.hpp"
#include "platform/tasks.hpp"
#include "threads/service_threads.hpp"
#include "threads/stop_mutex.hpp"

namespace moult::internal {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t threads_at_first = 3;
constexpr std::size_t most_threads = 64;

}  // namespace

std::shared_ptr<PageServer> PageServer::get() {
  return OneServer<PageServer>::get(
      ForkPlace::fault_handler, {.before = before_fork, .in_child = in_child}, [] { return new PageServer; },
      [](PageServer& server) { server.start(); });
}

PageServer::~PageServer() = default;

void PageServer::start() {
  MOULT_FAULT("watch.fault_handler.start");
  readers_.with([this](Readers& readers) {
    while (readers.threads.size() < threads_at_first) add_thread(readers);
  });
  // A stop that met one which has not begun yet would fail.
  for (std::size_t awake = awake_; awake < threads_at_first; awake = awake_) awake_.wait(awake);
  slab_stops_.start();
}

void PageServer::add_thread(Readers& readers) {
  readers.threads.emplace_back([this] { run(); });
  ++readers.reading;
}

void PageServer::add(std::shared_ptr<LazyConversion> conversion) {
  MOULT_FAULT("watch.fault_handler.add");
  const Manner manner = conversion->manner();
  conversions_.with([&](auto& watchers) {
    watchers.add(std::move(conversion));
    if (manner == Manner::in_place) ++in_place_;
  });
}

void PageServer::remove(const LazyConversion& conversion) noexcept {
  conversions_.with([&](auto& watchers) {  // what was taken is destroyed without the lock
    std::shared_ptr<LazyConversion> taken = watchers.take(conversion);
    if (taken != nullptr && conversion.manner() == Manner::in_place) --in_place_;
    return taken;
  });
}

std::vector<std::shared_ptr<LazyConversion>> PageServer::unfinished() {
  const std::shared_ptr<PageServer> server = OneServer<PageServer>::if_made();
  if (server == nullptr) return {};
  return server->conversions_.with([](const auto& watchers) { return watchers.all(); });
}

std::shared_ptr<LazyConversion> PageServer::find(const std::byte* page) const {
  return conversions_.with([page](const auto& watchers) { return watchers.at(page); });
}

void PageServer::run() {
  const ServiceThread here;
  ++awake_;
  awake_.notify_all();
  name_this_thread("moult pages");
  for (;;) {
    std::optional<MissingPage> missing = pages_.next();
    if (!missing) continue;
    Turn turn = turn_for(*missing);
    if (turn == Turn::leave) continue;
    do try {
        serve(*missing, turn);
      } catch (const std::bad_alloc&) {  // whoever waits goes on, touches the page again and is asked for again
        std::this_thread::sleep_for(until_there_is_memory);
        pages_.wake(missing->page, page_size());
      }
    while (turn == Turn::serve && (missing = take_next()));
  }
}

/// Whether the chunk is to be converted in a stop, which somebody else makes. Throws std::bad_alloc.
bool PageServer::hand_over(const MissingPage& missing) {
  if (manner() == Manner::evacuated || is_served_in_stop(missing.task)) return false;
  std::shared_ptr<LazyConversion> conversion = find(missing.page);
  if (conversion == nullptr || !conversion->needs_stop(missing.page)) return false;
  slab_stops_.add(missing, std::move(conversion));
  return true;
}

PageServer::Turn PageServer::turn_for(const MissingPage& missing) {
  bool is_urgent = claims_.note_wait(missing) || is_served_in_stop(missing.task);
  return readers_.with([&](Readers& readers) {
    if (readers.reading == 1 && is_urgent) return make_room(readers);
    if (readers.reading > 1) {
      --readers.reading;
      return Turn::serve;
    }
    readers.waiting.push_back(missing);
    return Turn::leave;
  });
}

/// The last one that reads has to serve.
PageServer::Turn PageServer::make_room(Readers& readers) noexcept {
  try {
    if (readers.threads.size() == most_threads) return Turn::serve_plain;
    add_thread(readers);
    --readers.reading;
    return Turn::serve;
  } catch (const std::exception&) {  // no memory, no more threads
    return Turn::serve_plain;
  }
}

/// What was put down meanwhile. When there is nothing the calling thread reads again.
std::optional<MissingPage> PageServer::take_next() {
  return readers_.with([](Readers& readers) -> std::optional<MissingPage> {
    if (readers.waiting.empty()) {
      ++readers.reading;
      return std::nullopt;
    }
    MissingPage next = readers.waiting.front();
    readers.waiting.pop_front();
    return next;
  });
}

void PageServer::serve(const MissingPage& missing, Turn turn) {
  const ServiceWork work(missing.task);
  if (hand_over(missing)) return;
  std::shared_ptr<LazyConversion> conversion = find(missing.page);
  if (conversion == nullptr) return pages_.fill_with_zeros(missing.page, page_size());
  turn == Turn::serve ? conversion->resolve(missing) : conversion->resolve_unconverted(missing);
}

void PageServer::drain(std::shared_ptr<LazyConversion> conversion) {
  drainer_.with([&](Drainer& drainer) {
    if (!drainer.thread.joinable()) drainer.thread = std::jthread([this] { run_drainer(); });
    drainer.wanted.push_back(std::move(conversion));
  });
  drainer_.notify();
}

void PageServer::run_drainer() {
  name_this_thread("moult drain");
  for (;;) {
    std::shared_ptr<LazyConversion> next = drainer_.wait_until(
        std::chrono::steady_clock::now() + std::chrono::hours(1),
        [](const Drainer& drainer) { return !drainer.wanted.empty(); },
        [](Drainer& drainer, bool is_ready) -> std::shared_ptr<LazyConversion> {
          if (!is_ready) return nullptr;
          std::shared_ptr<LazyConversion> first = std::move(drainer.wanted.front());
          drainer.wanted.pop_front();
          return first;
        });
    while (next != nullptr) try {
        next->drain();
        next = nullptr;
      } catch (const std::exception&) {  // no memory, or the program cannot be stopped now
        std::this_thread::sleep_for(until_there_is_memory);
      }
  }
}

void PageServer::before_fork() noexcept {
  const AboutToFork here;
  for (const std::shared_ptr<LazyConversion>& each : unfinished())
    for (bool is_drained = false; !is_drained;) try {
        each->drain();
        is_drained = true;
      } catch (const Error& error) {  // another thread may be about to fork, where nobody can be stopped
        is_drained = error.code() == ErrorCode::thread_unstoppable && each->leave_rest();
      } catch (const std::bad_alloc&) {
        std::this_thread::sleep_for(until_there_is_memory);
      }
}

/// The threads are the parent's, and so is what is watched.
void PageServer::in_child() noexcept {
  forget_service_threads();
  OneServer<PageServer>::forget();
}

}  // namespace moult::internal
