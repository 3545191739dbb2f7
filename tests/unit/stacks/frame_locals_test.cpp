// Variables of real frames, of code that both compilers made with and without optimisation.
#include "stacks/frame_locals.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "frames_fixture.hpp"
#include "moult/error.hpp"

namespace moult::internal {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

using FrameLocalsTest = FramesOfBuild;
MOULT_FOR_EACH_BUILD(FrameLocalsTest);

template <class Look>
void look_at(const Standing& standing, const AnyFunction& function, Look&& look) {
  const Program program = Program::of_this_process();
  const std::unique_ptr<StoppedWorld> stopped = StoppedWorld::stop({.timeout = 10s, .keep_out = {}});
  look(FrameLocals(program, *stopped, standing.thread(), function));
}

template <class Call>
void expect_refused(ErrorCode code, const testing::Matcher<std::string>& words, Call&& call) {
  try {
    call();
    ADD_FAILURE() << "was not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    EXPECT_THAT(error.what(), words);
  }
}

TEST_P(FrameLocalsTest, VariablesThatAreStillNeededAreReadWhereverTheyAre) {
  Standing standing([this](const frames::Pause& pause) { entries->kept(6, 2.5, &pause); });
  look_at(standing, entries->kept, [](const FrameLocals& locals) {
    EXPECT_EQ(locals.get<int>("count"), 6);
    EXPECT_EQ(locals.get<double>("factor"), 2.5);
    EXPECT_EQ(locals.get<long>("total"), 18);
    EXPECT_EQ(locals.get<unsigned char>("small"), 204);
    EXPECT_EQ(locals.get<frames::Colour>("colour"), frames::Colour::green);
    EXPECT_STREQ(locals.get<const char*>("text"), "some text");
    EXPECT_EQ(locals.get<int>("fixed"), 64) << "const is no part of the type that is asked for";
    EXPECT_EQ(locals.get<double>("ratio"), 10.0);
    EXPECT_EQ(locals.get<int>("total_inside"), 74) << "in a block of its own";
    EXPECT_EQ(locals.reference<frames::Pair>("pair").second, 6);
  });
}

TEST_P(FrameLocalsTest, AParameterThatIsGoneIsReadFromWhatTheCallerPassed) {
  Standing standing([this](const frames::Pause& pause) { entries->enters(&pause); });
  look_at(standing, entries->entered, [](const FrameLocals& locals) { EXPECT_EQ(locals.get<int>("seed"), 11); });
}

TEST_P(FrameLocalsTest, WhatTheOptimiserTookAwayIsRefusedWithItsPlace) {
  Standing standing([this](const frames::Pause& pause) { entries->forgets(&pause); });
  look_at(standing, entries->forgets, [this](const FrameLocals& locals) {
    if (!is_optimised()) {
      EXPECT_EQ(locals.get<int>("gone"), 13);
      return;
    }
    expect_refused(ErrorCode::unsupported,
                   AllOf(HasSubstr("gone of frames::forgets(frames::Pause const*): optimized out at "),
                         HasSubstr("frames.cpp:"), HasSubstr("declare it volatile")),
                   [&] { locals.get<int>("gone"); });
  });
}

TEST_P(FrameLocalsTest, TheInnermostCallOfARecursionIsRead) {
  Standing standing([this](const frames::Pause& pause) { entries->recurses(5, &pause); });
  look_at(standing, entries->recurses, [](const FrameLocals& locals) { EXPECT_EQ(locals.get<int>("level"), 0); });
}

TEST_P(FrameLocalsTest, AnotherTypeIsRefused) {
  Standing standing([this](const frames::Pause& pause) { entries->kept(6, 2.5, &pause); });
  look_at(standing, entries->kept, [](const FrameLocals& locals) {
    expect_refused(ErrorCode::signature_mismatch,
                   HasSubstr("total of frames::kept(int, double, frames::Pause const*) "
                             "is of type long, not int"),
                   [&] { locals.get<int>("total"); });
  });
}

TEST_P(FrameLocalsTest, ANameThatIsNotThereIsRefusedWithThoseThatAre) {
  Standing standing([this](const frames::Pause& pause) { entries->enters(&pause); });
  look_at(standing, entries->entered, [](const FrameLocals& locals) {
    expect_refused(ErrorCode::not_found, HasSubstr("there are seed, pause"), [&] { locals.get<int>("sed"); });
  });
}

TEST_P(FrameLocalsTest, AFunctionThatIsNotActiveInTheThreadIsRefused) {
  Standing standing([this](const frames::Pause& pause) { entries->enters(&pause); });
  const Program program = Program::of_this_process();
  const std::unique_ptr<StoppedWorld> stopped = StoppedWorld::stop({.timeout = 10s, .keep_out = {}});
  expect_refused(ErrorCode::not_found, HasSubstr("no call of it is in progress in "),
                 [&] { FrameLocals(program, *stopped, standing.thread(), entries->kept); });
}

TEST_P(FrameLocalsTest, AThreadReadsItsOwnFrames) {
  const Program program = Program::of_this_process();
  struct Look {
    const Program& program;
    const FrameEntries* entries;
    long total = 0;
  } look{program, entries};
  const frames::Pause pause{[](void* data) {
                              Look& own = *static_cast<Look*>(data);
                              own.total = FrameLocals(own.program, own.entries->kept).get<long>("total");
                            },
                            &look};
  entries->kept(1, 1, &pause);
  EXPECT_EQ(look.total, 13);
}

}  // namespace
}  // namespace moult::internal
