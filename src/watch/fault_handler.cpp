// Problem: objects are moved out of the program's sight and brought back at their first access. The accessing thread
// waits in the kernel, inside the program or inside a system call, and some thread of this process must fill the page.
//
// Approach: threads read the userfaultfd in turn, and call the sink that owns the page. Two kinds of sinks need two
// strategies:
// - Sinks that only copy pages (progressive accesses): one thread reads and resolves. It is always there for the next
//   fault, because it runs no code of the program and waits for no thread that may be stopped.
// - Sinks that run code of the program (conversions at first use): the thread that reads a fault resolves it, and other
//   threads read on. So a fault costs one hand-over, and two processors convert two slabs at a time. One thread always
//   reads. The last reader queues ordinary faults for the busy threads. An urgent fault it resolves itself, and a new
//   thread reads in its place: a converting thread waits for it, or the thread that has the program stopped.
//   With 64 threads, or where no thread can be made, the last reader only copies pages and reads on.
//
// The kernel can instead raise SIGBUS in the accessing thread, which then converts by itself, eight times as fast. But
// system calls that are given an object's address would fail.
//
// Threads:
// - Readers are service threads (threads/service_threads.hpp): a stop does not stop them, and every signal is blocked
//   in them. They allocate, and they take the locks of this handler and of the sinks. The program's threads take these
//   locks as Guarded data, which keeps a stop away, so no stopped thread holds one.
// - Resolving with code of the program is service work. A stop waits for the end of work in progress. While the program
//   stands still, work begins only for the stopping thread, and for threads that are at such work. A reader may
//   therefore block in ServiceWork, in a lock that a transformer takes, or for memory.
// - Copying is not service work. It goes on in a stopped program: it changes nothing there but the missing page.
// - The stopping thread may access watched memory and may call add, remove and sinks. It must not access watched memory
//   while it holds NoServiceWork.
// - Fork: the forking thread first resolves all pages of all sinks, marked as AboutToFork, because no stop can succeed
//   before it has forked. The child has no readers. It forgets the handler without destroying it, as the parent's other
//   threads may have held its locks.
//
// - A program that closes the descriptor: the kernel gives memory back to the program, unconverted and zeroed, when no
//   reader is inside it any more. The first reader that notices ends the process if a sink is left.
//
// Limits: three readers at first, 64 at most. Accesses by the kernel's own workers (io_uring) in a stopped program wait
// until the stop ends, where sinks run code of the program.
#include "watch/fault_handler.hpp"

#include <algorithm>
#include <exception>
#include <new>

#include "base/check.hpp"
#include "base/fault.hpp"
#include "base/own_thread.hpp"
#include "platform/memory.hpp"
#include "platform/tasks.hpp"
#include "threads/service_threads.hpp"
#include "threads/stop_mutex.hpp"

namespace moult::internal {
namespace {

constexpr std::size_t first_readers = 3;
constexpr std::size_t most_readers = 64;

}  // namespace

void FaultHandler::start() {
  MOULT_FAULT("watch.fault_handler.start");
  const std::size_t wanted = options_.sinks == Fault::May::copy_pages ? 1 : first_readers;
  readers_.with([&](Readers& readers) {
    while (readers.threads.size() < wanted) add_thread(readers);
  });
  // A stop fails when it meets a thread that is not a service thread yet.
  for (std::size_t awake = awake_; awake < wanted; awake = awake_) awake_.wait(awake);
}

void FaultHandler::add_thread(Readers& readers) {
  announce_service_thread();
  readers.threads.reserve(readers.threads.size() + 1);  // a thread without a place would be joined, and never end
  readers.threads.push_back(start_own_thread([this] { run(); }));
  ++readers.reading;
}

void FaultHandler::add(std::shared_ptr<FaultSink> sink) {
  MOULT_FAULT("watch.fault_handler.add");
  sinks_.with([&](auto& sinks) { sinks.push_back(std::move(sink)); });
}

bool FaultHandler::remove(const FaultSink& sink) noexcept {
  const std::shared_ptr<FaultSink> removed = sinks_.with([&](auto& sinks) -> std::shared_ptr<FaultSink> {
    const auto found = std::find_if(sinks.begin(), sinks.end(), [&](const auto& each) { return each.get() == &sink; });
    if (found == sinks.end()) return nullptr;
    std::shared_ptr<FaultSink> taken = std::move(*found);
    sinks.erase(found);
    return taken;
  });
  return removed != nullptr;  // destroyed here, without the lock
}

std::shared_ptr<FaultSink> FaultHandler::find(const std::byte* page) const {
  return sinks_.with([page](const auto& sinks) {
    const auto found =
        std::find_if(sinks.begin(), sinks.end(), [page](const auto& each) { return each->contains(page); });
    return found == sinks.end() ? nullptr : *found;
  });
}

void FaultHandler::run() {
  const ServiceThread here;
  ++awake_;
  awake_.notify_all();
  name_this_thread(options_.thread_name);
  for (;;) {
    std::optional<MissingPage> missing = pages_.next();
    if (pages_.is_lost()) return check_not_needed();
    if (!missing) continue;
    const Turn turn = turn_for(*missing);
    if (turn == Turn::queue) continue;
    do try {
        resolve(*missing, turn);
      } catch (const std::bad_alloc&) {  // the waiting thread goes on, accesses the page again, and faults again
        std::this_thread::sleep_for(out_of_memory_pause);
        pages_.wake(missing->page, page_size());
      }
    while (turn == Turn::resolve && (missing = take_next()));
  }
}

void FaultHandler::check_not_needed() const {
  MOULT_CHECK(
      is_spent(),
      "the program has closed the descriptor by which moult watches memory, and objects await their conversion; "
      "close only descriptors that the program has opened");
}

FaultHandler::Turn FaultHandler::turn_for(const MissingPage& missing) {
  if (options_.sinks == Fault::May::copy_pages) return Turn::resolve_and_read_on;
  const bool is_urgent = options_.is_urgent(missing) || is_served_in_stop(missing.task);
  return readers_.with([&](Readers& readers) {
    if (readers.reading == 1 && is_urgent) return make_room(readers);
    if (readers.reading > 1) {
      --readers.reading;
      return Turn::resolve;
    }
    return enqueue(readers, missing);
  });
}

/// Without memory for the queue, the last reader copies the page and reads on.
FaultHandler::Turn FaultHandler::enqueue(Readers& readers, const MissingPage& missing) noexcept {
  try {
    readers.queue.push_back(missing);
    return Turn::queue;
  } catch (const std::bad_alloc&) {
    return Turn::resolve_and_read_on;
  }
}

/// The last reader must resolve a fault: another thread reads in its place, if there can be one.
FaultHandler::Turn FaultHandler::make_room(Readers& readers) noexcept {
  try {
    if (readers.threads.size() == most_readers) return Turn::resolve_and_read_on;
    add_thread(readers);
    --readers.reading;
    return Turn::resolve;
  } catch (const std::exception&) {  // no memory, or no more threads
    return Turn::resolve_and_read_on;
  }
}

/// A queued fault. When there is none, the calling thread reads again.
std::optional<MissingPage> FaultHandler::take_next() {
  return readers_.with([](Readers& readers) -> std::optional<MissingPage> {
    if (readers.queue.empty()) {
      ++readers.reading;
      return std::nullopt;
    }
    const MissingPage next = readers.queue.front();
    readers.queue.pop_front();
    return next;
  });
}

void FaultHandler::resolve(const MissingPage& missing, Turn turn) {
  std::optional<ServiceWork> work;
  if (options_.sinks == Fault::May::run_program_code) work.emplace(missing.task);
  std::shared_ptr<FaultSink> sink = find(missing.page);
  if (sink == nullptr) return pages_.fill_with_zeros(missing.page, page_size());
  FaultSink& owner = *sink;
  owner.resolve({.missing = missing,
                 .may = turn == Turn::resolve ? Fault::May::run_program_code : Fault::May::copy_pages,
                 .sink = std::move(sink)});
}

void FaultHandler::before_fork() noexcept {
  const AboutToFork here;
  for (const std::shared_ptr<FaultSink>& each : sinks<FaultSink>()) options_.resolve_all(*each);
}

void forget_parents_threads() noexcept { forget_service_threads(); }

}  // namespace moult::internal
