// Objects that may not be moved are converted at their first use, wherever the accessing threads are.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "moult/lazy_update.hpp"
#include "notes.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using namespace std::chrono_literals;

TEST_F(LazilyInPlace, ASystemCallThatWritesIntoAPendingObjectSucceeds) {
  LazyObjects objects = start_lazy_update<Note, NoteTwo>(to_two);
  std::array<int, 2> ends;
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  ASSERT_EQ(::write(ends[1], "fresh", 6), 6);
  ASSERT_EQ(::read(ends[0], notes[40]->text.data(), 6), 6);
  EXPECT_STREQ(notes[40]->text.data(), "fresh");
  ASSERT_EQ(::write(ends[1], notes.back()->text.data(), 9), 9);
  std::array<char, 9> got;
  ASSERT_EQ(::read(ends[0], got.data(), 9), 9);
  EXPECT_STREQ(got.data(), "old text");
  EXPECT_GE(objects.progress().converted_chunks, 2u);
  expect_all_two();
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(LazilyInPlace, ASystemCallInProgressDuringTheUpdateSucceedsWhenItGoesOn) {
  std::array<int, 2> ends;
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  char* const buffer = notes[1500]->text.data();
  std::jthread reader([&] { EXPECT_EQ(::read(ends[0], buffer, 6), 6); });
  LazyObjects objects = start_lazy_update<Note, NoteTwo>(to_two);
  ASSERT_EQ(::write(ends[1], "fresh", 6), 6);
  reader.join();
  EXPECT_STREQ(buffer, "fresh");
  EXPECT_EQ(objects.progress().failed_objects, 0u);
  expect_all_two();
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(LazilyInPlace, OneSystemCallCanAccessManySlabs) {
  LazyObjects objects = start_lazy_update<Note, NoteTwo>(to_two);
  std::array<int, 2> ends;
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  std::vector<iovec> parts;
  for (std::size_t i = 0; i < notes.size(); i += 100) parts.push_back({notes[i]->text.data(), 9});
  const ssize_t size = static_cast<ssize_t>(9 * parts.size());
  ASSERT_EQ(::writev(ends[1], parts.data(), static_cast<int>(parts.size())), size);
  std::vector<char> got(static_cast<std::size_t>(size));
  ASSERT_EQ(::read(ends[0], got.data(), got.size()), size);
  for (std::size_t i = 0; i < parts.size(); ++i) EXPECT_STREQ(got.data() + 9 * i, "old text");
  expect_all_two();
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(LazilyInPlace, AThreadCanWaitForAConversionInsideStdio) {
  std::FILE* file = std::tmpfile();
  LazyObjects objects = start_lazy_update<Note, NoteTwo>(to_two);
  std::vector<std::jthread> writers;
  for (std::size_t number = 0; number < 3; ++number)
    writers.emplace_back([&, number] {
      for (std::size_t i = number; i < notes.size(); i += 3)
        if (i % 2 == 0)
          std::fprintf(file, "%s\n", notes[i]->text.data());
        else
          std::fputs(notes[i]->text.data(), file);
    });
  writers.clear();
  EXPECT_TRUE(objects.progress().is_done || objects.progress().converted_chunks > 5);
  EXPECT_EQ(objects.progress().failed_objects, 0u);
  EXPECT_EQ(std::ftell(file), static_cast<long>(8 * notes.size() + notes.size() / 2));
  std::fclose(file);
  expect_all_two();
}

TEST_F(LazilyInPlace, AnotherStopSucceedsWhileThreadsWaitInsideStdio) {
  std::FILE* file = std::tmpfile();
  for (int round = 0; round < 5; ++round) {
    LazyObjects there = start_lazy_update<Note, NoteTwo>(to_two);
    std::jthread writer([&] {
      for (const std::unique_ptr<Note>& note : notes) std::fputs(note->text.data(), file);
    });
    for (int stop = 0; stop < 3; ++stop) EXPECT_NO_THROW(StoppedWorld::stop({.timeout = 20s, .keep_out = {}}));
    writer.join();
    start_eager_update<NoteTwo, Note>(to_one);
    EXPECT_EQ(there.progress().failed_objects, 0u);
  }
  std::fclose(file);
}

TEST_F(LazilyInPlace, ThreadsThatAllocateAlmostAllTheTimeAreStopped) {
  std::vector<std::jthread> busy;
  for (int number = 0; number < 2; ++number)
    busy.emplace_back([](const std::stop_token& token) {
      while (!token.stop_requested())
        std::vector<std::string>(50, "a string that is too long for the object").resize(7);
    });
  LazyObjects objects = start_lazy_update<Note, NoteTwo>(to_two);
  expect_all_two();
  objects.drain();
  EXPECT_EQ(objects.progress().failed_objects, 0u);
}

TEST_F(LazilyInPlace, AThreadCanAccessAPendingObjectWhileItInitialisesAStaticVariable) {
  LazyObjects objects = start_lazy_update<Note, NoteTwo>(to_two);
  static const std::string name = notes[2000]->name;
  EXPECT_EQ(name, name_of(2000));
  EXPECT_EQ(objects.progress().failed_objects, 0u);
  expect_two(2000);
}

void do_nothing(int) {}

TEST_F(LazilyInPlace, TheProgramsSignalsInterruptNoConversion) {
  struct sigaction handler {};
  handler.sa_handler = do_nothing;
  handler.sa_flags = SA_RESTART;
  ::sigaction(SIGUSR1, &handler, nullptr);
  std::array<int, 2> ends;
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const pthread_t accessing = ::pthread_self();
  std::jthread disturber([accessing](const std::stop_token& token) {
    while (!token.stop_requested()) {
      ::pthread_kill(accessing, SIGUSR1);
      std::this_thread::sleep_for(50us);
    }
  });
  LazyObjects objects = start_lazy_update<Note, NoteTwo>(to_two);
  for (std::size_t i = 0; i < notes.size(); ++i) {
    if (i % 7 == 0) {
      ASSERT_EQ(::write(ends[1], "fresh", 6), 6);
      ASSERT_EQ(::read(ends[0], notes[notes.size() - 1 - i]->text.data(), 6), 6);
    }
    expect_two(i);
  }
  disturber = {};
  EXPECT_EQ(objects.progress().failed_objects, 0u);
  expect_all_two();
  ::signal(SIGUSR1, SIG_DFL);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(LazilyInPlace, AChildOfForkFindsAllObjectsConverted) {
  start_lazy_update<Note, NoteTwo>(to_two);
  pid_t child = ::fork();
  if (child == 0) {
    bool is_right = broken == 0;
    for (std::size_t i = 0; i < notes.size(); ++i)
      is_right = is_right && as_two(*notes[i]).more == std::to_string(i) && notes[i]->holds();
    ::_exit(is_right ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  expect_all_two();
}

TEST_F(LazilyInPlace, ObjectsStayAsTheyAreWhereTheProgramCannotBeStopped) {
  LazyObjects objects = start_lazy_update<Note, NoteTwo>(to_two);
  std::atomic<bool> is_deaf{false};
  std::binary_semaphore may_end{0};
  std::thread deaf([&] {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    is_deaf = true;
    may_end.acquire();
  });
  while (!is_deaf) std::this_thread::yield();
  EXPECT_TRUE(notes[7]->holds());
  EXPECT_GT(objects.progress().failed_objects, 0u);
  EXPECT_EQ(objects.progress().converted_objects, 0u);
  may_end.release();
  deaf.join();
  objects.drain();
  EXPECT_EQ(objects.progress().converted_objects + objects.progress().failed_objects, notes.size());
  EXPECT_EQ(DataAccessor<Note>().size(), objects.progress().failed_objects);
}

}  // namespace subject
}  // namespace moult::internal
