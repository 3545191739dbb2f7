#include "symbols/signature.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fixtures.hpp"
#include "symbols/program.hpp"

namespace moult::internal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Signatures : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { MOULT_NEEDS_FIXTURE(GetParam()); }

  Signature of(const char* name) const {
    const Program program = Program::of_file(fixture(GetParam()));
    return program.signature(program.find(name).at(0)).value();
  }
  std::vector<Passing> parameters_of(const char* name) const {
    std::vector<Passing> passings;
    for (const Parameter& parameter : of(name).parameters) passings.push_back(parameter.passing);
    return passings;
  }
};

TEST_P(Signatures, TellHowArgumentsArePassed) {
  EXPECT_THAT(parameters_of("shapes::nothing"), IsEmpty());
  EXPECT_THAT(parameters_of("shapes::number"), ElementsAre(Passing::number, Passing::number, Passing::number));
  EXPECT_THAT(parameters_of("shapes::vector"), ElementsAre(Passing::vector, Passing::vector));
  EXPECT_THAT(parameters_of("shapes::point"), ElementsAre(Passing::unknown));
  EXPECT_THAT(parameters_of("shapes::wide"), ElementsAre(Passing::unknown));
  EXPECT_THAT(parameters_of("shapes::reference"), ElementsAre(Passing::number));
}

TEST_P(Signatures, TellHowTheResultIsPassed) {
  EXPECT_EQ(of("shapes::nothing").result, Passing::nothing);
  EXPECT_EQ(of("shapes::number").result, Passing::number);
  EXPECT_EQ(of("shapes::number").result_size, 2u);
  EXPECT_EQ(of("shapes::vector").result, Passing::vector);
  EXPECT_EQ(of("shapes::point").result, Passing::unknown);
  EXPECT_EQ(of("shapes::wide").result, Passing::unknown);
  EXPECT_EQ(of("shapes::reference").result, Passing::number);
}

TEST_P(Signatures, CountTheObjectAsTheFirstArgument) {
  const Signature scaled = of("shapes::Shape::scaled");
  EXPECT_TRUE(scaled.takes_object);
  ASSERT_EQ(scaled.parameters.size(), 2u);
  EXPECT_EQ(scaled.parameters[0].name, "this");
  EXPECT_EQ(scaled.parameters[0].passing, Passing::number);
  EXPECT_FALSE(of("shapes::number").takes_object);
}

TEST_P(Signatures, KnowFunctionsThatTakeAnyNumber) {
  EXPECT_TRUE(of("shapes::varied").is_variadic);
  EXPECT_FALSE(of("shapes::number").is_variadic);
}

TEST_P(Signatures, HaveThePlaceOfAnArgumentAtTheEntry) {
  if (GetParam().find("O2") == std::string::npos) GTEST_SKIP() << "arguments are on the stack at once";
  const Signature number = of("shapes::number");
  constexpr std::uint64_t rdi = 5;
  constexpr std::uint64_t rsi = 4;
  ASSERT_EQ(number.parameters.size(), 3u);
  EXPECT_EQ(number.parameters[0].place, rdi);
  EXPECT_EQ(number.parameters[1].place, rsi);
}

INSTANTIATE_TEST_SUITE_P(Programs, Signatures,
                         testing::Values("signatures_gcc_O0.so", "signatures_gcc_O2.so", "signatures_clang_O0.so",
                                         "signatures_clang_O2.so"),
                         [](const auto& built) { return built.param.substr(0, built.param.find('.')); });

}  // namespace
}  // namespace moult::internal
