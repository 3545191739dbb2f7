#include "classes/member_matching.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace moult::internal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// A class whose functions are added one by one, each with code at an address of its own.
class Class {
 public:
  Class(std::string name, std::uintptr_t first) : next_(first) { members.layout.name = ClassName(std::move(name)); }

  Class& code(std::string name, char variant = 0, std::uintptr_t address = 0) {
    MemberCode code;
    code.symbol.demangled = std::move(name);
    if (address == 0) address = next_ += 16;
    code.symbol.range = {CodeAddress{address}, CodeAddress{address + 16}};
    code.variant = variant;
    members.code.push_back(std::move(code));
    return *this;
  }
  Class& declared(std::string name, MemberKind kind = MemberKind::method, std::string result = "int") {
    members.layout.functions.push_back({std::move(name), kind, false, std::nullopt, std::move(result), {}});
    return *this;
  }
  ClassMembers members;

 private:
  std::uintptr_t next_;
};

class MemberMatching : public testing::Test {
 protected:
  std::vector<std::string> pairs() {
    std::vector<std::string> all;
    for (const MemberPair& pair : match().pairs) {
      const auto name = [](const MemberCode& code) {
        return code.symbol.demangled + (code.variant != 0 ? std::string(" ") + code.variant : "");
      };
      all.push_back(name(pair.old) + " -> " + name(pair.replacement));
    }
    return all;
  }
  std::vector<UnmatchedMember> unmatched() { return match().unmatched; }
  MemberMatch match() { return match_members(old_.members, replacement_.members); }

  Class old_{"app::Data", 0x1000};
  Class replacement_{"next::DataV2", 0x2000};
};

TEST_F(MemberMatching, FunctionsAreMatchedByNameAndParameters) {
  old_.code("app::Data::f(int)").code("app::Data::f(app::Data const&) const");
  replacement_.code("next::DataV2::f(next::DataV2 const&) const").code("next::DataV2::f(int)");
  EXPECT_THAT(pairs(),
              ElementsAre("app::Data::f(int) -> next::DataV2::f(int)",
                          "app::Data::f(app::Data const&) const -> next::DataV2::f(next::DataV2 const&) const"));
  EXPECT_THAT(unmatched(), IsEmpty());
}

TEST_F(MemberMatching, AbiTagsDoNotCount) {
  old_.code("app::Data::text[abi:cxx11]() const").declared("app::Data::text[abi:cxx11]() const");
  replacement_.code("next::DataV2::text() const").declared("next::DataV2::text() const", MemberKind::static_method);
  EXPECT_THAT(unmatched(), SizeIs(1)) << "the one is static";
  replacement_.members.layout.functions.front().kind = MemberKind::method;
  EXPECT_THAT(pairs(), ElementsAre("app::Data::text[abi:cxx11]() const -> next::DataV2::text() const"));
  EXPECT_THAT(match().added, IsEmpty());
}

TEST_F(MemberMatching, VariantsAreMatchedEachWithItsOwn) {
  old_.code("app::Data::Data(int)", '1').code("app::Data::Data(int)", '2');
  old_.code("app::Data::~Data()", '0').code("app::Data::~Data()", '2');
  replacement_.code("next::DataV2::DataV2(int)", '2').code("next::DataV2::DataV2(int)", '1');
  replacement_.code("next::DataV2::~DataV2()", '2').code("next::DataV2::~DataV2()", '0');
  EXPECT_THAT(pairs(), ElementsAre("app::Data::Data(int) 1 -> next::DataV2::DataV2(int) 1",
                                   "app::Data::Data(int) 2 -> next::DataV2::DataV2(int) 2",
                                   "app::Data::~Data() 0 -> next::DataV2::~DataV2() 0",
                                   "app::Data::~Data() 2 -> next::DataV2::~DataV2() 2"));
}

TEST_F(MemberMatching, OneVariantStandsInForTheOtherButNotForTheDeletingOne) {
  old_.code("app::Data::~Data()", '0').code("app::Data::~Data()", '1').code("app::Data::~Data()", '2');
  replacement_.code("next::DataV2::~DataV2()", '1');
  EXPECT_THAT(pairs(), ElementsAre("app::Data::~Data() 1 -> next::DataV2::~DataV2() 1",
                                   "app::Data::~Data() 2 -> next::DataV2::~DataV2() 1"));
  ASSERT_THAT(unmatched(), SizeIs(1));
  EXPECT_EQ(unmatched()[0].why, WhyUnmatched::without_code);
}

TEST_F(MemberMatching, WithVirtualBasesItDoesNot) {
  old_.code("app::Data::Data()", '2');
  replacement_.code("next::DataV2::DataV2()", '1').members.layout.bases = {{"Root", std::nullopt, true, false, ""}};
  EXPECT_THAT(pairs(), IsEmpty());
}

TEST_F(MemberMatching, AliasesOfOneEntryAreOnePair) {
  old_.code("app::Data::Data()", '1', 0x1010).code("app::Data::Data()", '2', 0x1010);
  replacement_.code("next::DataV2::DataV2()", '1').code("next::DataV2::DataV2()", '2');
  EXPECT_THAT(pairs(), ElementsAre("app::Data::Data() 1 -> next::DataV2::DataV2() 1"));
  EXPECT_THAT(unmatched(), IsEmpty());
}

TEST_F(MemberMatching, TwoFunctionsInOneEntryAreRefused) {
  old_.code("app::Data::f()", 0, 0x1010).code("app::Data::g()", 0, 0x1010);
  replacement_.code("next::DataV2::f()").code("next::DataV2::g()");
  ASSERT_THAT(unmatched(), SizeIs(1));
  EXPECT_EQ(unmatched()[0].why, WhyUnmatched::shared_code);
  EXPECT_THAT(unmatched()[0].text, HasSubstr("shares its code with app::Data::f()"));
}

TEST_F(MemberMatching, AMissingFunctionIsNamed) {
  old_.code("app::Data::f(int)");
  ASSERT_THAT(unmatched(), SizeIs(1));
  EXPECT_EQ(unmatched()[0].why, WhyUnmatched::missing);
  EXPECT_EQ(unmatched()[0].text, "app::Data::f(int): next::DataV2 has no such function; add it, with code of its own");
}

TEST_F(MemberMatching, AFunctionWithOtherParametersIsNamed) {
  old_.code("app::Data::f(int)");
  replacement_.code("next::DataV2::f(long)");
  ASSERT_THAT(unmatched(), SizeIs(1));
  EXPECT_EQ(unmatched()[0].why, WhyUnmatched::other_signature);
  EXPECT_EQ(unmatched()[0].text, "app::Data::f(int): next::DataV2 has only next::DataV2::f(long)");
}

TEST_F(MemberMatching, AFunctionThatIsOnlyDeclaredIsNamed) {
  old_.code("app::Data::f(int)");
  replacement_.declared("next::DataV2::f(int)");
  ASSERT_THAT(unmatched(), SizeIs(1));
  EXPECT_EQ(unmatched()[0].why, WhyUnmatched::without_code);
  EXPECT_THAT(unmatched()[0].text, HasSubstr("next::DataV2::f(int) has no code in the update"));
}

TEST_F(MemberMatching, StaticOnOneSideOnlyIsAnotherSignature) {
  old_.code("app::Data::f(int)").declared("app::Data::f(int)");
  replacement_.code("next::DataV2::f(int)").declared("next::DataV2::f(int)", MemberKind::static_method);
  EXPECT_THAT(pairs(), IsEmpty());
  ASSERT_THAT(unmatched(), SizeIs(1));
  EXPECT_EQ(unmatched()[0].text, "app::Data::f(int): is static in next::DataV2");
}

TEST_F(MemberMatching, AnotherResultIsAnotherSignature) {
  old_.code("app::Data::f()").declared("app::Data::f()", MemberKind::method, "app::Data*");
  replacement_.code("next::DataV2::f()").declared("next::DataV2::f()", MemberKind::method, "next::DataV2*");
  EXPECT_THAT(unmatched(), IsEmpty());
  replacement_.members.layout.functions[0].result = "long";
  ASSERT_THAT(unmatched(), SizeIs(1));
  EXPECT_EQ(unmatched()[0].text, "app::Data::f(): returns long in next::DataV2, not app::Data*");
}

TEST_F(MemberMatching, FunctionsThatOnlyTheNewClassHasAreListed) {
  replacement_.code("next::DataV2::extra()").code("next::DataV2::extra()");
  EXPECT_THAT(match().added, ElementsAre("next::DataV2::extra()"));
}

}  // namespace
}  // namespace moult::internal
