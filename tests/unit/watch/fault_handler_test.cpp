// Faults in watched memory: which sink resolves them, in which threads, and in a stopped program.
#include "watch/fault_handler.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <latch>
#include <memory>
#include <new>
#include <thread>
#include <vector>

#include "platform/memory.hpp"
#include "platform/reserved_memory.hpp"
#include "platform/tasks.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {
namespace {

using namespace std::chrono_literals;

/// Watched pages, without an owner at first.
class Pages final {
 public:
  Pages(FaultHandler& handler, std::size_t count) : handler_(handler), size_(count * page_size()) {
    begin_ = reserve(size_, size_);
    EXPECT_TRUE(commit(begin_, size_));
    handler_.pages().watch(begin_, size_);
  }
  ~Pages() {
    handler_.pages().unwatch(begin_, size_);
    unreserve(begin_, size_);
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  std::byte* page(std::size_t number) const { return begin_ + number * page_size(); }
  /// Waits where the page is missing.
  std::byte read(std::size_t number) const { return *static_cast<const volatile std::byte*>(page(number)); }
  bool contains(const std::byte* page) const { return begin_ <= page && page < begin_ + size_; }

 private:
  FaultHandler& handler_;
  std::size_t size_;
  std::byte* begin_;
};

/// Fills its pages with one value.
class Filler final : public FaultSink {
 public:
  Filler(FaultHandler& handler, const Pages& pages, std::byte value)
      : handler_(handler), pages_(pages), source_(page_size(), value) {}

  bool contains(const std::byte* page) const noexcept override { return pages_.contains(page); }
  void resolve(Fault fault) override {
    if (before) before(fault);
    handler_.pages().fill(fault.missing.page, page_size(), source_.data());
  }

  std::function<void(const Fault&)> before;
  bool is_told_of_fork = false;

 private:
  FaultHandler& handler_;
  const Pages& pages_;
  std::vector<std::byte> source_;
};

std::function<bool(const MissingPage&)> is_urgent;

/// Never destroyed, as its threads never end.
FaultHandler& handler_for(Fault::May sinks) {
  const auto make = [](Fault::May kind) {
    auto* handler = new FaultHandler(
        {.thread_name = "test faults",
         .sinks = kind,
         .is_urgent = [](const MissingPage& page) { return is_urgent && is_urgent(page); },
         .resolve_all = [](FaultSink& sink) noexcept { static_cast<Filler&>(sink).is_told_of_fork = true; }});
    handler->start();
    return handler;
  };
  static FaultHandler& copying = *make(Fault::May::copy_pages);
  static FaultHandler& running = *make(Fault::May::run_program_code);
  return sinks == Fault::May::copy_pages ? copying : running;
}

class EachFaultHandler : public testing::TestWithParam<Fault::May> {
 protected:
  std::shared_ptr<Filler> add(const Pages& pages, unsigned char value) {
    auto filler = std::make_shared<Filler>(handler, pages, std::byte{value});
    handler.add(filler);
    return filler;
  }
  FaultHandler& handler = handler_for(GetParam());
};

INSTANTIATE_TEST_SUITE_P(Kinds, EachFaultHandler, testing::Values(Fault::May::copy_pages, Fault::May::run_program_code),
                         [](const auto& kind) {
                           return kind.param == Fault::May::copy_pages ? "Copying" : "RunningProgramCode";
                         });

TEST_P(EachFaultHandler, CallsTheSinkThatOwnsThePage) {
  const Pages ones(handler, 2);
  const Pages twos(handler, 2);
  const auto first = add(ones, 1);
  const auto second = add(twos, 2);
  EXPECT_EQ(twos.read(1), std::byte{2});
  EXPECT_EQ(ones.read(0), std::byte{1});
  EXPECT_TRUE(handler.remove(*first));
  EXPECT_TRUE(handler.remove(*second));
}

TEST_P(EachFaultHandler, FillsPagesWithoutASinkWithZeros) {
  const Pages pages(handler, 2);
  const auto filler = add(pages, 3);
  EXPECT_EQ(pages.read(0), std::byte{3});
  EXPECT_TRUE(handler.remove(*filler));
  EXPECT_FALSE(handler.remove(*filler));
  EXPECT_EQ(pages.read(1), std::byte{0});
}

TEST_P(EachFaultHandler, CallsASinkAgainThatHadNoMemory) {
  const Pages pages(handler, 1);
  const auto filler = add(pages, 4);
  std::atomic<int> calls{0};
  filler->before = [&](const Fault&) {
    if (++calls < 3) throw std::bad_alloc();
  };
  EXPECT_EQ(pages.read(0), std::byte{4});
  EXPECT_EQ(calls, 3);
  handler.remove(*filler);
}

TEST_P(EachFaultHandler, ResolvesFaultsOfTheThreadThatHasTheProgramStopped) {
  const Pages pages(handler, 1);
  const auto filler = add(pages, 5);
  std::byte value{};
  {
    const auto stopped = StoppedWorld::stop({.timeout = 20s, .keep_out = {}});
    value = pages.read(0);
  }
  EXPECT_EQ(value, std::byte{5});
  handler.remove(*filler);
}

TEST_P(EachFaultHandler, NamesTheWaitingThreadAndHandsOverItsReference) {
  const Pages pages(handler, 1);
  const auto filler = add(pages, 6);
  std::atomic<pid_t> task{0};
  std::atomic<bool> is_same{false};
  filler->before = [&](const Fault& fault) {
    task = fault.missing.task;
    is_same = fault.sink == filler && fault.may == GetParam();
  };
  EXPECT_EQ(pages.read(0), std::byte{6});
  EXPECT_EQ(task, own_task());
  EXPECT_TRUE(is_same);
  handler.remove(*filler);
}

TEST_P(EachFaultHandler, ResolvesAllPagesOfEverySinkBeforeAFork) {
  const Pages pages(handler, 1);
  const auto first = add(pages, 7);
  const auto second = add(pages, 7);
  EXPECT_EQ(handler.sinks<Filler>().size(), 2u);
  handler.before_fork();
  EXPECT_TRUE(first->is_told_of_fork && second->is_told_of_fork);
  handler.remove(*first);
  handler.remove(*second);
}

/// Threads that wait for one page each.
class Readers final {
 public:
  void read(const Pages& pages, std::size_t number) {
    threads_.emplace_back([this, &pages, number] {
      pages.read(number);
      ++read_;
    });
  }
  int read_pages() const { return read_; }
  void join() { threads_.clear(); }

 private:
  std::atomic<int> read_{0};
  std::vector<std::jthread> threads_;
};

class RunningFaultHandler : public testing::Test {
 protected:
  ~RunningFaultHandler() override { is_urgent = nullptr; }
  FaultHandler& handler = handler_for(Fault::May::run_program_code);
};

TEST_F(RunningFaultHandler, ResolvesTwoFaultsAtOnce) {
  const Pages pages(handler, 2);
  const auto filler = std::make_shared<Filler>(handler, pages, std::byte{1});
  std::latch both(2);
  filler->before = [&](const Fault&) { both.arrive_and_wait(); };
  handler.add(filler);
  Readers readers;
  readers.read(pages, 0);
  readers.read(pages, 1);
  readers.join();
  EXPECT_EQ(readers.read_pages(), 2);
  handler.remove(*filler);
}

/// Two faults keep two of the three readers busy, and a third fault is queued.
TEST_F(RunningFaultHandler, ResolvesAnUrgentFaultWhileOrdinaryOnesAreQueued) {
  const Pages pages(handler, 4);
  const auto filler = std::make_shared<Filler>(handler, pages, std::byte{1});
  std::latch two_are_busy(2);
  std::latch one_is_queued(1);
  std::latch go_on(1);
  std::atomic<int> ordinary_begun{0};
  std::atomic<int> begun_before_urgent{-1};
  is_urgent = [&](const MissingPage& missing) {
    if (missing.page == pages.page(2)) one_is_queued.count_down();
    return missing.page == pages.page(3);
  };
  filler->before = [&](const Fault& fault) {
    if (fault.missing.page == pages.page(3)) {
      begun_before_urgent = ordinary_begun.load();
      return;
    }
    ++ordinary_begun;
    if (fault.missing.page != pages.page(2)) two_are_busy.count_down();
    go_on.wait();
  };
  handler.add(filler);
  Readers ordinary;
  ordinary.read(pages, 0);
  ordinary.read(pages, 1);
  two_are_busy.wait();
  ordinary.read(pages, 2);
  one_is_queued.wait();
  EXPECT_EQ(pages.read(3), std::byte{1}) << "the only thread that reads resolves it, and another one reads on";
  EXPECT_EQ(begun_before_urgent, 2) << "the third one is still in the queue";
  EXPECT_EQ(ordinary.read_pages(), 0);
  go_on.count_down();
  ordinary.join();
  EXPECT_EQ(ordinary.read_pages(), 3) << "a busy thread resolves the queued one when it is free";
  handler.remove(*filler);
}

}  // namespace
}  // namespace moult::internal
