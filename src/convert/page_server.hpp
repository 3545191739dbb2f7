// Who converts a chunk that somebody has touched: threads that read the userfaultfd.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/guarded.hpp"
#include "convert/slab_stops.hpp"
#include "convert/wait_for_graph.hpp"
#include "platform/userfaultfd.hpp"
#include "watch/watchers.hpp"

namespace moult::internal {

class LazyConversion;

/// One for the process, made at its first use. Its threads sleep while nothing is touched.
class PageServer final {
 public:
  /// Throws Error (unsupported) where there is no userfaultfd; std::bad_alloc, std::system_error where no thread can be
  /// made.
  static std::shared_ptr<PageServer> get();
  ~PageServer();
  PageServer(const PageServer&) = delete;
  PageServer& operator=(const PageServer&) = delete;

  Userfaultfd& pages() noexcept { return pages_; }
  WaitForGraph& claims() noexcept { return claims_; }
  SlabStops& slab_stops() noexcept { return slab_stops_; }
  /// How every conversion converts now: in place while there is one that has to. Becomes that only in a stop in which
  /// nobody converts.
  Manner manner() const noexcept { return in_place_ > 0 ? Manner::in_place : Manner::evacuated; }

  /// From add to remove the conversion is asked for every page of its that is touched. Throws std::bad_alloc.
  void add(std::shared_ptr<LazyConversion> conversion);
  void remove(const LazyConversion& conversion) noexcept;
  /// What is between the two in the process.
  static std::vector<std::shared_ptr<LazyConversion>> unfinished();

  /// A thread converts what nobody touches, from now on. Throws std::bad_alloc, std::system_error.
  void drain(std::shared_ptr<LazyConversion> conversion);

 private:
  struct Readers {
    std::size_t reading = 0;
    std::deque<MissingPage> waiting{};
    std::vector<std::jthread> threads{};
  };
  struct Drainer {
    std::deque<std::shared_ptr<LazyConversion>> wanted{};
    std::jthread thread{};
  };
  /// What a thread that has read of a touch does.
  enum class Turn {
    serve,        ///< see to it; others read on
    serve_plain,  ///< see to it without converting anything, as too many are busy already
    leave,        ///< it is put down for those who are busy
  };

  PageServer() = default;
  bool hand_over(const MissingPage& missing);
  void start();
  void add_thread(Readers& readers);
  [[noreturn]] void run();
  Turn turn_for(const MissingPage& missing);
  Turn make_room(Readers& readers) noexcept;
  std::optional<MissingPage> take_next();
  void serve(const MissingPage& missing, Turn turn);
  std::shared_ptr<LazyConversion> find(const std::byte* page) const;
  [[noreturn]] void run_drainer();
  static void before_fork() noexcept;
  static void in_child() noexcept;

  Userfaultfd pages_;
  WaitForGraph claims_{pages_};
  SlabStops slab_stops_{pages_};
  std::atomic<std::size_t> in_place_{0};  ///< conversions that must be
  Guarded<Watchers<LazyConversion>> conversions_;
  std::atomic<std::size_t> awake_{0};  ///< threads that have begun
  Guarded<Readers> readers_;
  Guarded<Drainer> drainer_;
};

}  // namespace moult::internal
