#include "base/event.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <latch>
#include <thread>

#include "base/fd.hpp"
#include "base/guarded.hpp"
#include "base/log_file.hpp"

namespace moult::internal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;

Event event_of(EventKind kind, std::string text = {}) {
  Event event;
  event.kind = kind;
  event.manager = "main";
  event.update = "hello";
  event.text = std::move(text);
  return event;
}

/// A folder that is gone after the test.
class Folder final {
 public:
  Folder() {
    char name[] = "/tmp/moult-event-test-XXXXXX";
    if (::mkdtemp(name) == nullptr) throw std::runtime_error("no folder for the test");
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string file(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

TEST(EventLog, AnEventHasABoundedLengthAndSaysWhatIsMissing) {
  EventLog log;
  Event event = event_of(EventKind::update_refused, std::string(10'000, 'x'));
  for (int i = 0; i < 100; ++i) event.threads.push_back("worker (" + std::to_string(i) + ")");
  log.publish(std::move(event));
  const Event kept = log.since(0).back();
  EXPECT_LT(kept.text.size(), 4200u);
  EXPECT_THAT(kept.text, HasSubstr("xxx... (5904 bytes more)"));
  EXPECT_EQ(kept.threads.size(), 65u);
  EXPECT_EQ(kept.threads.back(), "36 more");
}

TEST(EventLog, ATextIsNotCutWithinACharacter) {
  EventLog log;
  log.publish(event_of(EventKind::message, std::string(4095, 'x') + "\u00e9" + std::string(10, 'y')));
  EXPECT_THAT(log.since(0).back().text, testing::EndsWith("xxx... (12 bytes more)"));
}

TEST(EventText, HasTheOriginalsWords) {
  EXPECT_EQ(to_text(event_of(EventKind::update_queued)), "hello added to main's queue");
  EXPECT_EQ(to_text(event_of(EventKind::update_begun)), "main begins hello");
  EXPECT_EQ(to_text(event_of(EventKind::alterability_reached)), "alterability of hello reached");
  EXPECT_EQ(to_text(event_of(EventKind::update_over)), "hello over");
  EXPECT_EQ(to_text(event_of(EventKind::update_completed)), "hello completed");
  EXPECT_EQ(to_text(event_of(EventKind::not_alterable, "f is active")), "hello not alterable, postponed: f is active");
  EXPECT_EQ(to_text(event_of(EventKind::requirements_not_met)), "hello's requirements not met, postponed");
  EXPECT_EQ(to_text(event_of(EventKind::requirements_never_met)), "hello's requirements can never be met, aborted");
}

TEST(EventText, ListsThreads) {
  Event event = event_of(EventKind::threads_suspended);
  EXPECT_EQ(to_text(event), "main suspended no other thread");
  event.threads = {"worker (12)", "web (13)"};
  EXPECT_EQ(to_text(event), "main suspended worker (12), web (13)");
  event.kind = EventKind::threads_found_suspended;
  EXPECT_EQ(to_text(event), "main found worker (12), web (13) already suspended");
  event.kind = EventKind::threads_resumed;
  event.pause = std::chrono::microseconds(1250);
  EXPECT_EQ(to_text(event), "main resumed worker (12), web (13) after 1.250 ms");
  event.kind = EventKind::suspend_timed_out;
  EXPECT_EQ(to_text(event), "main timed out suspending worker (12), web (13)");
}

TEST(EventText, IsOneLine) { EXPECT_EQ(to_text(event_of(EventKind::message, "a\nb\r\nc")), "a b  c"); }

TEST(EventText, DoesNotControlATerminal) {
  EXPECT_EQ(to_text(event_of(EventKind::message, "a\033[2Jb")), "a\\u001b[2Jb");
  EXPECT_EQ(to_text(event_of(EventKind::update_failed, "\a")), "hello failed: \\u0007");
}

TEST(EventKindNames, AreAllDifferentAndKnown) {
  std::vector<std::string> names;
  for (int kind = 0; kind <= static_cast<int>(EventKind::warning); ++kind)
    names.emplace_back(name_of(static_cast<EventKind>(kind)));
  EXPECT_THAT(names, testing::Not(testing::Contains("unknown")));
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
}

TEST(EventLog, NumbersEventsFromOneAndGivesThoseAfterANumber) {
  EventLog log;
  log.set_level(LogLevel::none);
  for (int i = 0; i < 3; ++i) log.publish(event_of(EventKind::update_over, std::to_string(i)));
  std::vector<Event> events = log.since(1);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].number, 2u);
  EXPECT_EQ(events[1].number, 3u);
  EXPECT_THAT(log.since(3), testing::IsEmpty());
}

TEST(EventLog, KeepsTheLast4096) {
  EventLog log;
  log.set_level(LogLevel::none);
  for (int i = 0; i < 5000; ++i) log.publish(event_of(EventKind::update_over));
  std::vector<Event> events = log.since(0);
  EXPECT_EQ(events.size(), 4096u);
  EXPECT_EQ(events.front().number, 5000u - 4095u);
}

TEST(EventLog, FiltersTheFileByLevelAndNotTheSubscribers) {
  Folder folder;
  EventLog log;
  log.set_path(folder.file("log"));
  int told = 0;
  std::unique_ptr<EventLog::Subscription> subscription = log.subscribe([&](const Event&) { ++told; });
  for (LogLevel level : {LogLevel::none, LogLevel::errors, LogLevel::all}) {
    log.set_level(level);
    for (EventKind kind : {EventKind::message, EventKind::warning, EventKind::update_over})
      log.publish(event_of(kind, std::to_string(static_cast<int>(level))));
  }
  EXPECT_EQ(told, 9);
  std::vector<std::string> lines = lines_of(folder.file("log"));
  ASSERT_EQ(lines.size(), 6u);
  EXPECT_THAT(lines[0], MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z 0"));
  EXPECT_THAT(lines[5], HasSubstr("Z hello over"));
}

TEST(EventLog, AppendsToAnExistingFile) {
  Folder folder;
  std::ofstream(folder.file("log")) << "before\n";
  EventLog log;
  log.set_path(folder.file("log"));
  log.publish(event_of(EventKind::message, "after"));
  EXPECT_THAT(lines_of(folder.file("log")), ElementsAre("before", HasSubstr("after")));
}

TEST(EventLog, KeepsTheOldPlaceWhenTheNewOneCannotBeOpened) {
  Folder folder;
  EventLog log;
  log.set_path(folder.file("log"));
  try {
    log.set_path(folder.file("no/such/folder"));
    FAIL() << "the path was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::system);
    EXPECT_THAT(error.what(), HasSubstr(folder.file("no/such/folder")));
  }
  log.publish(event_of(EventKind::message, "still here"));
  EXPECT_EQ(lines_of(folder.file("log")).size(), 1u);
}

TEST(EventLog, RefusesAFifoWithoutAReader) {
  Folder folder;
  ASSERT_EQ(::mkfifo(folder.file("fifo").c_str(), 0600), 0);
  EventLog log;
  EXPECT_THROW(log.set_path(folder.file("fifo")), Error);
}

TEST(LogFile, DropsLinesThatAFullFifoDoesNotTakeAndReportsTheirNumber) {
  Folder folder;
  ASSERT_EQ(::mkfifo(folder.file("fifo").c_str(), 0600), 0);
  Fd reader(::open(folder.file("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  LogFile file(folder.file("fifo"));
  const std::string line(1000, 'x');
  while (file.dropped() == 0) file.write_line(line);  // ends: the FIFO is full at last
  std::vector<char> drained(1 << 20);
  ASSERT_GT(::read(reader.get(), drained.data(), drained.size()), 0);
  file.write_line("after");
  ssize_t length = ::read(reader.get(), drained.data(), drained.size());
  ASSERT_GT(length, 0);
  EXPECT_EQ(std::string(drained.data(), static_cast<std::size_t>(length)), "moult: 1 log lines were dropped\nafter\n");
}

TEST(LogFile, SurvivesAReaderThatLeft) {
  Folder folder;
  ASSERT_EQ(::mkfifo(folder.file("fifo").c_str(), 0600), 0);
  Fd reader(::open(folder.file("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  LogFile file(folder.file("fifo"));
  reader.reset();
  file.write_line("nobody hears this");
  EXPECT_EQ(file.dropped(), 1u);
  sigset_t pending;
  sigpending(&pending);
  EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
}

/// The number of the descriptor that has `path` open.
int number_of(const std::string& path) {
  for (const std::filesystem::directory_entry& each : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(each.path(), gone) == path) return std::stoi(each.path().filename());
  }
  return -1;
}

TEST(LogFile, WritesNothingIntoTheProgramsFileUnderItsNumber) {
  Folder folder;
  LogFile file(folder.file("log"));
  const int number = number_of(folder.file("log"));
  const Fd programs(::open(folder.file("programs").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(::dup3(programs.get(), number, O_CLOEXEC), number);
  testing::internal::CaptureStderr();
  file.write_line("one");
  file.write_line("two");
  const std::string shown = testing::internal::GetCapturedStderr();
  EXPECT_THAT(shown, testing::StartsWith("moult: the program has closed the log file; "));
  EXPECT_THAT(shown, testing::EndsWith("\none\ntwo\n"));
  EXPECT_TRUE(std::filesystem::is_empty(folder.file("programs")));
  ::close(number);
}

TEST(EventLog, CallsSubscribersInTheOrderOfTheNumbers) {
  EventLog log;
  log.set_level(LogLevel::none);
  std::vector<std::uint64_t> numbers;
  std::unique_ptr<EventLog::Subscription> subscription =
      log.subscribe([&](const Event& event) { numbers.push_back(event.number); });
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int j = 0; j < 500; ++j) log.publish(event_of(EventKind::update_over));
      });
  }
  ASSERT_EQ(numbers.size(), 2000u);
  EXPECT_TRUE(std::ranges::is_sorted(numbers));
}

TEST(EventLog, GoesOnWhenASubscriberThrows) {
  EventLog log;
  log.set_level(LogLevel::none);
  int told = 0;
  std::unique_ptr<EventLog::Subscription> first = log.subscribe([](const Event&) { throw 1; });
  std::unique_ptr<EventLog::Subscription> second = log.subscribe([&](const Event&) { ++told; });
  log.publish(event_of(EventKind::update_over));
  EXPECT_EQ(told, 1);
}

TEST(EventLog, ASubscriptionOutlivesItsLog) {
  std::unique_ptr<EventLog::Subscription> subscription;
  {
    EventLog log;
    subscription = log.subscribe([](const Event&) {});
  }
  subscription.reset();
}

TEST(EventLog, UnsubscribingWaitsForTheRunningCallback) {
  EventLog log;
  log.set_level(LogLevel::none);
  std::latch inside(1);
  std::latch go_on(1);
  std::atomic<bool> done = false;
  std::unique_ptr<EventLog::Subscription> subscription = log.subscribe([&](const Event&) {
    inside.count_down();
    go_on.wait();
    done = true;
  });
  std::jthread publisher([&] { log.publish(event_of(EventKind::update_over)); });
  inside.wait();
  std::jthread helper([&] { go_on.count_down(); });
  subscription.reset();
  EXPECT_TRUE(done);
}

TEST(EventLog, APublisherCountsAsOneThatHoldsALockSoThatNoStopIsGranted) {
  EventLog log;
  log.set_level(LogLevel::none);
  int held = 0;
  std::unique_ptr<EventLog::Subscription> subscription = log.subscribe([&](const Event&) { held = lock_use().held; });
  log.publish(event_of(EventKind::update_over));
  EXPECT_GT(held, 0);
  EXPECT_EQ(lock_use().held, 0);
}

TEST(Log, WritesTheProgramsLinesAtEveryLevel) {
  Folder folder;
  set_log_path(folder.file("log"));
  set_log_level(LogLevel::none);
  log("served 7 pages");
  set_log_path("");
  set_log_level(LogLevel::errors);
  EXPECT_THAT(lines_of(folder.file("log")), ElementsAre(HasSubstr("Z served 7 pages")));
}

}  // namespace
}  // namespace moult::internal
