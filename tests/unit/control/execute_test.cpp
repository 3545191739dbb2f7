#include "control/execute.hpp"

#include <gtest/gtest.h>

#include "fake_backend.hpp"

namespace moult::control {
namespace {

protocol::Failure failure_of(const protocol::Command& command) {
  FakeProgram program;
  const protocol::Result result = execute(command, program.backend(), {});
  const auto* const failure = std::get_if<protocol::Failure>(&result);
  if (failure != nullptr) return *failure;
  ADD_FAILURE() << "it succeeded";
  return {};
}

TEST(Execute, WhatABackendThrowsIsTheRepliesError) {
  EXPECT_EQ(failure_of(protocol::CheckRequest{"/a"}).code, ErrorCode::not_an_update);
  EXPECT_EQ(failure_of(protocol::ThreadsRequest{}).message, "no threads");
  EXPECT_EQ(failure_of(protocol::FunctionsRequest{}).code, ErrorCode::internal);
}

TEST(Execute, AMalformedRequestIsItsOwnReply) {
  EXPECT_EQ(failure_of(protocol::MalformedRequest{{ErrorCode::ambiguous, "hm"}}).message, "hm");
}

TEST(Execute, TheLogIsToldFromANumberOn) {
  FakeProgram program;
  for (int each = 0; each < 3; ++each) program.publish({});
  const protocol::Result result = execute(protocol::LogRequest{.after = 1}, program.backend(), {});
  ASSERT_EQ(std::get<protocol::EventsReply>(result).events.size(), 2u);
  EXPECT_EQ(std::get<protocol::EventsReply>(result).events[0].number, 2u);
}

TEST(Execute, ObjectsAreThoseOfTheBackend) {
  FakeProgram program;
  const protocol::Result result = execute(protocol::ObjectsRequest{}, program.backend(), {});
  EXPECT_EQ(std::get<protocol::ObjectsReply>(result).pools.at(0).held.at(0).live, 3u);
}

}  // namespace
}  // namespace moult::control
