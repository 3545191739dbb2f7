#include "diagnostics.hpp"

#include <gtest/gtest.h>

#include "protocol/reply.hpp"

namespace moult::internal::cli {
namespace {

TEST(Diagnostics, OfGccHavePlaceAndText) {
  const std::vector<Diagnostic> found = parse_diagnostics(
      "In file included from ../app.hpp:3,\n"
      "                 from /src/update.cpp:1:\n"
      "/src/update.cpp: In function 'void f()':\n"
      "/src/update.cpp:3:16: error: 'this' does not compile: so it is\n"
      "    3 | MOULT_UPDATE { this does not compile; }\n"
      "      |                ^~~~\n"
      "../app.hpp:12: note: declared here\n"
      "cc1plus: error: unrecognized command-line option '-fno'\n"
      "/src/update.cpp:1:10: fatal error: none.hpp: No such file or directory",
      "/build/x");
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0].severity, "error");
  EXPECT_EQ(found[0].file, "/src/update.cpp");
  EXPECT_EQ(found[0].line, 3);
  EXPECT_EQ(found[0].column, 16);
  EXPECT_EQ(found[0].text, "'this' does not compile: so it is");
  EXPECT_EQ(found[1].file, "/build/app.hpp");
  EXPECT_EQ(found[1].line, 12);
  EXPECT_EQ(found[1].column, 0);
  EXPECT_EQ(found[2].file, "");
  EXPECT_EQ(found[2].text, "unrecognized command-line option '-fno'");
  EXPECT_EQ(found[3].severity, "fatal error");
  EXPECT_EQ(found[3].line, 1);
}

TEST(Diagnostics, AreInTheErrorOfTheReply) {
  const std::string reply = format_reply({}, Failure{ErrorCode::invalid_argument, "does not compile"});
  EXPECT_EQ(with_diagnostics(reply, {}), reply);
  EXPECT_EQ(with_diagnostics(reply, {{"error", "/u.cpp", 3, 16, "no \"x\""}}),
            R"({"ok":false,"error":{"code":"invalid_argument","message":"does not compile","diagnostics":)"
            R"([{"severity":"error","file":"/u.cpp","line":3,"column":16,"text":"no \"x\""}]}})");
}

}  // namespace
}  // namespace moult::internal::cli
