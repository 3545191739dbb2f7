#include "protocol/request.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace moult::internal {
namespace {

using testing::HasSubstr;

template <class T>
T parsed(std::string_view line) {
  const Request request = parse_request(line);
  const T* const command = std::get_if<T>(&request.command);
  if (command != nullptr) return *command;
  const auto* const malformed = std::get_if<MalformedRequest>(&request.command);
  ADD_FAILURE() << line << ": another command" << (malformed ? ": " + malformed->failure.message : "");
  return {};
}

std::string refusal(std::string_view line) { return parsed<MalformedRequest>(line).failure.message; }

TEST(Request, AnUpdateHasAPathAndDefaultsForTheRest) {
  const auto update = parsed<UpdateRequest>(R"({"command":"update","path":"/a/b.so"})");
  EXPECT_EQ(update.path, "/a/b.so");
  EXPECT_FALSE(update.force);
  EXPECT_EQ(update.wait, std::chrono::milliseconds(30000));
}

TEST(Request, AnUpdateNeedsAnAbsolutePath) {
  EXPECT_THAT(refusal(R"({"command":"update"})"), HasSubstr("\"path\" must be the absolute path"));
  EXPECT_THAT(refusal(R"({"command":"update","path":"b.so"})"), HasSubstr("\"path\" must be the absolute path"));
  EXPECT_THAT(refusal(R"({"command":"update","path":7})"), HasSubstr("\"path\" must be a string"));
  EXPECT_THAT(refusal(R"({"command":"check","path":"/a\u0000.so"})"), HasSubstr("\"path\" must be the absolute path"));
  EXPECT_THAT(refusal(std::string("update /a\0.so", 13)), HasSubstr("absolute path"));
}

TEST(Request, AWaitThatIsNegativeFractionalOrLongerThanADayIsRefused) {
  for (const char* wait : {"-1", "1.5", "86400001", "1e300", "\"5\"", "null"})
    EXPECT_THAT(refusal(R"({"command":"update","path":"/a","wait_ms":)" + std::string(wait) + "}"),
                HasSubstr("\"wait_ms\" must be a whole number"))
        << wait;
}

TEST(Request, EveryCommandSurvivesFormatAndParse) {
  const std::vector<Command> commands = {
      AuthenticateRequest{"a token of \"quotes\" and \xC3\xA4"},
      StatusRequest{},
      UpdateRequest{"/a b/c.so", true, std::chrono::milliseconds(5)},
      UpdateRequest{"/c.so", false, std::chrono::milliseconds(5), "/src/c.cpp"},
      UpdateRequest{.path = "/c.so", .keep_trying = false, .notices = true, .key = "4711.3"},
      WithdrawRequest{"4711.3"},
      CheckRequest{"/c.so", true},
      CheckRequest{"/c.so", true, "/src/c.cpp"},
      ThreadsRequest{},
      ThreadsRequest{.locals = true},
      FunctionsRequest{"ns::", 7},
      ObjectsRequest{},
      LogRequest{12, true},
      RollbackRequest{std::uint64_t{3}, std::chrono::milliseconds(1)},
      RollbackRequest{std::string("hello"), {}},
      RollbackRequest{LastUpdate{}, {}},
      RollbackRequest{AllUpdates{}, {}},
      SetRequest{LogLevel::all, "/tmp/log"},
      SetRequest{std::nullopt, ""},
  };
  for (const Command& command : commands) {
    const std::string line = format_request({"7", command});
    const Request back = parse_request(line);
    EXPECT_EQ(back.command.index(), command.index()) << line;
    EXPECT_EQ(back.id, "7");
    EXPECT_EQ(format_request(back), line);
  }
}

TEST(Request, TheIdOfARefusedRequestIsKept) {
  const Request request = parse_request(R"({"id":"x-1","command":"dance"})");
  EXPECT_EQ(request.id, "\"x-1\"");
  EXPECT_THAT(std::get<MalformedRequest>(request.command).failure.message, HasSubstr("unknown command \"dance\""));
}

TEST(Request, AnIdThatIsAStructureIsRefused) {
  EXPECT_THAT(refusal(R"({"id":[1],"command":"status"})"), HasSubstr("\"id\" must be a string or a number"));
}

TEST(Request, ARollbackNamesItsUpdateByNameOrById) {
  EXPECT_EQ(std::get<std::uint64_t>(parsed<RollbackRequest>(R"({"command":"rollback","update":4})").update), 4u);
  EXPECT_EQ(std::get<std::string>(parsed<RollbackRequest>(R"({"command":"rollback","update":"4"})").update), "4");
  EXPECT_THAT(refusal(R"({"command":"rollback"})"), HasSubstr("the name or the id"));
  EXPECT_THAT(refusal(R"({"command":"rollback","update":-4})"), HasSubstr("\"update\" must be the name or the id"));
  EXPECT_THAT(refusal(R"({"command":"rollback","update":""})"), HasSubstr("\"update\" must be the name or the id"));
}

TEST(Request, ARollbackIsOfOneUpdateOrTheLastOrAll) {
  EXPECT_TRUE(
      std::holds_alternative<LastUpdate>(parsed<RollbackRequest>(R"({"command":"rollback","last":true})").update));
  EXPECT_TRUE(
      std::holds_alternative<AllUpdates>(parsed<RollbackRequest>(R"({"command":"rollback","all":true})").update));
  EXPECT_THAT(refusal(R"({"command":"rollback","update":4,"all":true})"), HasSubstr("given alone"));
  EXPECT_THAT(refusal(R"({"command":"rollback","last":true,"all":true})"), HasSubstr("given alone"));
}

TEST(Request, AnUpdateIsTriedUntilItIsAppliedUnlessTheSenderSaysOtherwise) {
  EXPECT_TRUE(parsed<UpdateRequest>(R"({"command":"update","path":"/a"})").keep_trying);
  EXPECT_TRUE(parsed<UpdateRequest>("update /a.so").keep_trying);
  EXPECT_FALSE(parsed<UpdateRequest>(R"({"command":"update","path":"/a","keep_trying":false})").keep_trying);
}

TEST(Request, AWithdrawalNamesItsRequest) {
  EXPECT_THAT(refusal(R"({"command":"withdraw"})"), HasSubstr("\"key\" must be the key of an update request"));
}

TEST(Request, ASetWithNothingToSetIsRefused) {
  EXPECT_THAT(refusal(R"({"command":"set"})"), HasSubstr("\"loglevel\" must be given"));
  EXPECT_THAT(refusal(R"({"command":"set","loglevel":3})"), HasSubstr("from 0 to 2"));
}

TEST(Request, ALogIsAtAnAbsolutePathOrStandardError) {
  EXPECT_THAT(refusal(R"({"command":"set","logpath":"here.log"})"), HasSubstr("\"logpath\" must be an absolute path"));
  EXPECT_THAT(refusal(R"({"command":"set","logpath":"/a\u0000b"})"), HasSubstr("\"logpath\" must be an absolute path"));
  EXPECT_THAT(refusal("set logpath here.log"), HasSubstr("here.log"));
  EXPECT_EQ(parsed<SetRequest>("set logpath").log_path, "");
}

TEST(PlainLine, PymoultsCommandsAreUnderstood) {
  EXPECT_EQ(parsed<UpdateRequest>("update /a/with a space.so").path, "/a/with a space.so");
  EXPECT_EQ(parsed<UpdateRequest>("  update   /a.so  ").path, "/a.so");
  EXPECT_EQ(parsed<SetRequest>("set loglevel 2").log_level, LogLevel::all);
  EXPECT_EQ(parsed<SetRequest>("set logpath /tmp/x").log_path, "/tmp/x");
}

TEST(PlainLine, LinesThatPymoultIgnoredAreAnswered) {
  EXPECT_THAT(refusal("dance"), HasSubstr("update PATH"));
  EXPECT_THAT(refusal("update"), HasSubstr("absolute path"));
  EXPECT_THAT(refusal("update here.so"), HasSubstr("here.so"));
  EXPECT_THAT(refusal("set loglevel 9"), HasSubstr("0 (none)"));
  EXPECT_THAT(refusal("set volume 9"), HasSubstr("volume"));
  EXPECT_THAT(refusal(""), HasSubstr("empty line"));
}

TEST(Request, NoBytesAtAllMakeTheParserThrow) {
  std::mt19937 random(20130401);
  const std::string alphabet =
      "{}[]\",:\\ \t0123456789eE+-.truefalsn\xC3\xFF"
      "commandpathidupdatesetlog" +
      std::string(1, '\0');
  for (int round = 0; round < 20000; ++round) {
    std::string line;
    for (std::size_t length = random() % 60; length > 0; --length) line += alphabet[random() % alphabet.size()];
    EXPECT_NO_THROW(parse_request(line));
  }
}

TEST(Request, AMutilatedRequestIsParsedOrRefusedButNeverThrows) {
  std::mt19937 random(20150612);
  const std::string whole = R"({"id":1,"command":"update","path":"/a/b.so","force":true,"wait_ms":30000})";
  std::size_t refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string line = whole;
    for (std::size_t cuts = 1 + random() % 4; cuts > 0 && !line.empty(); --cuts) {
      if (random() % 2 == 0)
        line[random() % line.size()] = static_cast<char>(random());
      else
        line.erase(random() % line.size(), random() % 8);
    }
    Request request;
    EXPECT_NO_THROW(request = parse_request(line));
    refused += std::holds_alternative<MalformedRequest>(request.command) ? 1 : 0;
  }
  EXPECT_GT(refused, 10000u);
  EXPECT_LT(refused, 20000u);
}

TEST(Request, AMegabyteOfOpenBracketsIsRefused) {
  EXPECT_THAT(refusal(std::string(1 << 20, '[')), HasSubstr("not a JSON object"));
  EXPECT_THAT(refusal(R"({"command":)" + std::string(1 << 20, '[') + std::string(1 << 20, ']') + "}"),
              HasSubstr("\"command\" must be a string"));
}

}  // namespace
}  // namespace moult::internal
