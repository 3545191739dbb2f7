#include "protocol/reply.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace moult::internal {
namespace {

using testing::HasSubstr;
using testing::Not;

UpdateReport a_report() {
  UpdateReport report;
  report.id = 3;
  report.name = "hello";
  report.manager = "main";
  report.state = UpdateState::failed;
  report.code = ErrorCode::inlined;
  report.reason = "inlined at app.cpp:42";
  report.postponements = 2;
  report.changes = {"hello redefined as hello_v2"};
  report.pause = std::chrono::nanoseconds(43000);
  report.all_pauses = std::chrono::nanoseconds(51000);
  report.threads = 3;
  return report;
}

TEST(Reply, AReportSurvivesFormatAndParse) {
  UpdatesReply reply{Failure{ErrorCode::inlined, "no"}, true, {a_report()}, 4.5, {"built for another build"}};
  reply.changed_directly = true;
  reply.code_ran = true;
  reply.withdrawn = true;
  const std::string line = format_reply("9", reply);
  const UpdatesReply back = parse_updates(line);
  EXPECT_EQ(format_reply("9", back), line);
  ASSERT_EQ(back.updates.size(), 1u);
  EXPECT_EQ(back.updates[0].state, UpdateState::failed);
  EXPECT_EQ(back.updates[0].code, ErrorCode::inlined);
  EXPECT_EQ(back.updates[0].pause, std::chrono::nanoseconds(43000));
  EXPECT_EQ(back.warnings.front(), "built for another build");
  EXPECT_EQ(back.failure->message, "no");
  EXPECT_TRUE(back.file_refused);
  EXPECT_TRUE(back.changed_directly);
  EXPECT_TRUE(back.code_ran);
  EXPECT_TRUE(back.withdrawn);
}

TEST(Reply, ANoticeIsToldFromAReply) {
  EXPECT_EQ(parse_notice(format_notice("hello: waits")), "hello: waits");
  EXPECT_EQ(parse_notice(format_reply("", DoneReply{})), std::nullopt);
  EXPECT_EQ(parse_notice("nonsense"), std::nullopt);
}

TEST(Reply, BeginsWithOkAndCarriesTheId) {
  EXPECT_EQ(format_reply("\"a\"", DoneReply{}), R"({"ok":true,"id":"a"})");
  EXPECT_EQ(format_reply("", Failure{ErrorCode::not_found, "gone"}),
            R"({"ok":false,"error":{"code":"not_found","message":"gone"}})");
}

TEST(Reply, OfEveryKindSurvivesFormatAndParse) {
  const StatusReply status{4711,
                           "/bin/app",
                           "00ff",
                           "0.1.0",
                           1,
                           3,
                           {"main"},
                           {a_report()},
                           2,
                           {{3, {"fix.patch", "00ff"}}},
                           {{3, {1700000000, 2}}}};
  EXPECT_EQ(format_reply("", parse_status(format_reply("", status))), format_reply("", status));
  EXPECT_EQ(parse_status(format_reply("", status)).patches.at(3).sha256, "00ff");
  EXPECT_EQ(parse_status(format_reply("", status)).trees.at(3).time, 1700000000u);
  EXPECT_EQ(parse_status(format_reply("", status)).trees.at(3).files, 2u);
  const ThreadsReply threads{
      {{12,
        "worker",
        {{"f(int)", "/bin/app", 7, "app.cpp", 42, true, true, {{"x", "int", true, "in rbx", "5"}}},
         {"", "[vdso]", 9, "", 0, false}},
        "top"}}};
  EXPECT_EQ(format_reply("", parse_threads(format_reply("", threads))), format_reply("", threads));
  EXPECT_EQ(parse_threads(format_reply("", threads)).threads.at(0).point, "top");
  const FunctionsReply functions{{{"f(int)", "/bin/app", 40, true}}, 7};
  EXPECT_EQ(parse_functions(format_reply({}, functions)).total, 7u);
  EXPECT_EQ(format_reply("", parse_functions(format_reply("", functions))), format_reply("", functions));
  const ObjectsReply objects{{{"app::Data", true, {{"app::Data", 7, 16}, {"V2", 1, 24}}, 96, 1 << 26, 4096, 128}},
                             {{"app::Data", "V2", 10, 6, 1, 4, 3, true}}};
  EXPECT_EQ(parse_objects(format_reply("", objects)).waiting[0].converted, 6u);
  EXPECT_TRUE(parse_objects(format_reply("", objects)).waiting[0].drained);
  EXPECT_EQ(parse_objects(format_reply("", objects)).pools[0].held[1].live, 1u);
  EXPECT_EQ(format_reply("", parse_objects(format_reply("", objects))), format_reply("", objects));
  EventRecord event;
  event.number = 5;
  event.time = 1.5;
  event.kind = "threads_resumed";
  event.text = "main resumed worker";
  event.update_id = 3;
  event.code = ErrorCode::timed_out;
  event.threads = {"worker (12)"};
  event.pause = std::chrono::nanoseconds(7);
  EXPECT_EQ(format_event(parse_event(format_event(event))), format_event(event));
  const EventsReply events{{event}};
  EXPECT_EQ(format_reply("", parse_events(format_reply("", events))), format_reply("", events));
}

TEST(Reply, EveryErrorCodeSurvives) {
  for (int number = 0; number <= static_cast<int>(ErrorCode::system); ++number) {
    const auto code = static_cast<ErrorCode>(number);
    EXPECT_EQ(parse_failure(format_reply("", Failure{code, "why"}))->code, code) << name_of(code);
  }
}

TEST(Reply, AnErrorAloneIsThrownAsItWas) {
  try {
    parse_status(format_reply("", Failure{ErrorCode::permission_denied, "somebody else's"}));
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::permission_denied);
    EXPECT_STREQ(error.what(), "somebody else's");
  }
}

TEST(Reply, TextThatIsNoUtf8StaysOneLineOfJson) {
  const std::string line = format_reply("", Failure{ErrorCode::system, "a\xFF\n\"b"});
  EXPECT_THAT(line, Not(HasSubstr("\n")));
  EXPECT_EQ(parse_failure(line)->message, "a\xEF\xBF\xBD\n\"b");
}

TEST(Reply, GarbageIsAnErrorOfMoultAndNothingElse) {
  std::mt19937 random(7);
  std::string whole = format_reply("1", UpdatesReply{{}, false, {a_report()}, 1.0, {}});
  for (int round = 0; round < 20000; ++round) {
    std::string line = whole;
    for (int cut = 0; cut < 3; ++cut) line[random() % line.size()] = static_cast<char>(random());
    try {
      parse_updates(line);
    } catch (const Error&) {
    }
  }
  EXPECT_THROW(parse_updates("null"), Error);
  EXPECT_THROW(parse_updates("{}"), Error);
  EXPECT_THROW(parse_updates(R"({"ok":true,"updates":[7]})"), Error);
  EXPECT_THROW(parse_updates(R"({"ok":true,"updates":[{"state":"dancing"}]})"), Error);
}

}  // namespace
}  // namespace moult::internal
