// Whole stacks, read as the command shows them.
#include "stacks/stack_reading.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "frames_fixture.hpp"
#include "moult/error.hpp"

namespace moult::internal {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

using StackReading = FramesOfBuild;
MOULT_FOR_EACH_BUILD(StackReading);

const StackFrame& frame_of(const std::vector<StackFrame>& frames, const std::string& function) {
  const auto found = std::find_if(frames.begin(), frames.end(), [&](const StackFrame& frame) {
    return frame.function.find(function) != std::string::npos;
  });
  if (found == frames.end()) throw std::runtime_error("no frame of " + function);
  return *found;
}

std::map<std::string, StackVariable> variables_of(const StackFrame& frame) {
  std::map<std::string, StackVariable> variables;
  for (const StackVariable& variable : frame.variables) variables.emplace(variable.name, variable);
  return variables;
}

TEST_P(StackReading, AFrameHasItsFunctionItsLineAndItsVariables) {
  Standing standing([this](const frames::Pause& pause) { entries->kept(6, 2.5, &pause); });
  const std::vector<StackFrame> frames = read_stack(standing.thread());
  const StackFrame& kept = frame_of(frames, "frames::kept(");
  EXPECT_EQ(kept.function, "frames::kept(int, double, frames::Pause const*)");
  EXPECT_THAT(kept.file, testing::EndsWith("frames.cpp"));
  EXPECT_GT(kept.line, 0);
  EXPECT_TRUE(frames.back().is_precise);
  const std::map<std::string, StackVariable> variables = variables_of(kept);
  EXPECT_TRUE(variables.at("count").is_parameter);
  EXPECT_EQ(variables.at("count").type, "int");
  for (const auto& [name, value] : std::map<std::string, std::string>{{"count", "6"},
                                                                      {"factor", "2.5"},
                                                                      {"total", "18"},
                                                                      {"colour", "green (5)"},
                                                                      {"letters", "\"aec\""},
                                                                      {"fixed", "64"},
                                                                      {"ratio", "10"},
                                                                      {"total_inside", "74"}})
    EXPECT_EQ(variables.at(name).value, value) << name << " " << variables.at(name).where;
  EXPECT_THAT(variables.at("text").value, AllOf(StartsWith("0x"), HasSubstr(" \"some text\"")));
  EXPECT_EQ(variables.at("pair").value, "");
  EXPECT_THAT(variables.at("total").where, AnyOf(StartsWith("in r"), StartsWith("at 0x")));
}

TEST_P(StackReading, WhatIsOptimizedOutIsSaidToBe) {
  Standing standing([this](const frames::Pause& pause) { entries->forgets(&pause); });
  const std::vector<StackFrame> frames = read_stack(standing.thread());
  const StackVariable gone = variables_of(frame_of(frames, "frames::forgets(")).at("gone");
  EXPECT_EQ(gone.value, is_optimised() ? "" : "13");
  EXPECT_EQ(gone.where == "optimized out", is_optimised()) << gone.where;
}

TEST_P(StackReading, AValueThatOnlyTheCallerKnowsIsRead) {
  Standing standing([this](const frames::Pause& pause) { entries->enters(&pause); });
  const StackVariable seed = variables_of(frame_of(read_stack(standing.thread()), "frames::entered(")).at("seed");
  EXPECT_EQ(seed.value, "11");
  EXPECT_EQ(seed.where == "a value", is_optimised()) << seed.where;
}

TEST_P(StackReading, AnInlinedCallIsAFrameOfItsOwn) {
  Standing standing([this](const frames::Pause& pause) { entries->inlines(20, &pause); });
  const std::vector<StackFrame> frames = read_stack(standing.thread());
  const StackFrame& inner = frame_of(frames, "inlined_one");
  EXPECT_EQ(inner.is_inlined, is_optimised());
  EXPECT_EQ(variables_of(inner).at("twice").value, "46");
  const StackFrame& outer = frame_of(frames, "frames::inlines(");
  EXPECT_EQ(&outer, &inner + 1);
  EXPECT_FALSE(outer.is_inlined);
  EXPECT_EQ(variables_of(outer).at("whole").value, "20");
  EXPECT_NE(outer.line, inner.line);
}

TEST_P(StackReading, AllCallsOfARecursionAreThereWithTheirOwnVariables) {
  Standing standing([this](const frames::Pause& pause) { entries->recurses(5, &pause); });
  std::vector<std::string> levels;
  for (const StackFrame& frame : read_stack(standing.thread()))
    for (const StackVariable& variable : frame.variables)
      if (variable.name == "level") levels.push_back(variable.value);
  EXPECT_THAT(levels, testing::ElementsAre("0", "10", "20", "30", "40", "50"));
}

TEST_P(StackReading, AThreadThatIsStoppedInItsOwnCodeIsRead) {
  std::atomic<ThreadId> spinning{};
  volatile bool go_on = true;
  std::thread thread([&] {
    spinning = this_thread_id();
    entries->spins(&go_on);
  });
  std::vector<StackFrame> frames;
  const auto is_in_loop = [&] {
    return std::any_of(frames.begin(), frames.end(),
                       [](const StackFrame& frame) { return frame.function.starts_with("frames::spins("); });
  };
  while (!is_in_loop()) {
    if (spinning.load() != ThreadId{}) frames = read_stack(spinning.load(), std::chrono::seconds(10));
  }
  const std::map<std::string, StackVariable> variables = variables_of(frame_of(frames, "frames::spins("));
  go_on = false;
  thread.join();
  // It may stand before the first instruction.
  EXPECT_THAT(variables.at("turns").where,
              AnyOf(StartsWith("at 0x"), StartsWith("in r"), "optimized out", "not there yet", "a value"));
}

TEST_P(StackReading, TheCallingThreadReadsItsOwnStack) {
  std::vector<StackFrame> frames;
  const frames::Pause pause{
      [](void* data) { *static_cast<std::vector<StackFrame>*>(data) = read_stack(this_thread_id()); }, &frames};
  entries->kept(1, 1, &pause);
  EXPECT_EQ(variables_of(frame_of(frames, "frames::kept(")).at("total").value, "13");
}

TEST(StackReadingLimits, AThreadThatIsNotThereIsRefused) {
  try {
    read_stack(ThreadId{1});
    ADD_FAILURE() << "was not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_found);
    EXPECT_THAT(error.what(), HasSubstr("thread 1: there is no such thread in the program"));
  }
}

}  // namespace
}  // namespace moult::internal
