#include "symbols/type_graph.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "fixtures.hpp"
#include "moult/error.hpp"

namespace moult::internal {
namespace {

constexpr std::size_t data_size = 40;

/// The graph of the variables in one form of debug information.
class TypeGraphOf : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    MOULT_NEEDS_FIXTURE(GetParam());
    program_.emplace(Program::of_file(fixture(GetParam())));
    graph_.emplace(*program_, request_);
  }

  std::size_t add(const std::string& variable) {
    for (const StaticVariable& each : graph_->index(0)->variables())
      if (each.name == variable) return graph_->add(0, each);
    ADD_FAILURE() << variable << " is not indexed";
    return no_type;
  }

  /// The type of the part of that name.
  static const HeapType& part(const std::vector<HeapType>& types, const HeapType& type, const std::string& name) {
    const auto found =
        std::find_if(type.parts.begin(), type.parts.end(), [&](const HeapPart& each) { return each.name == name; });
    static const HeapType none;
    EXPECT_NE(found, type.parts.end()) << name;
    return found != type.parts.end() ? types.at(found->type) : none;
  }

  HeapRequest request_{{0}, {{ClassName("app::Data"), data_size, 8}}, true, {}};
  std::optional<Program> program_;
  std::optional<TypeGraph> graph_;
};

INSTANTIATE_TEST_SUITE_P(Modules, TypeGraphOf,
                         testing::Values("variables_gcc_O0_dwarf4.so", "variables_gcc_O2_dwarf5.so",
                                         "variables_clang_O0_dwarf5.so", "variables_clang_O2_dwarf4.so",
                                         "variables_split.so", "variables_shared.so"),
                         [](const auto& tested) {
                           const std::string name = tested.param;
                           return name.substr(0, name.find('.'));
                         });

TEST_P(TypeGraphOf, AVariableHasItsTypeAndWhatThatLeadsTo) {
  const std::size_t everything = add("app::everything");
  const std::vector<HeapType> types = graph_->take();
  const HeapType& type = types.at(everything);
  EXPECT_EQ(type.name, "app::Everything");
  EXPECT_EQ(type.shape, Shape::object);
  const HeapType& vector = part(types, type, ".vector");
  EXPECT_EQ(vector.shape, Shape::range);
  EXPECT_EQ(types.at(vector.target).name, "app::Data");
  EXPECT_EQ(types.at(vector.target).size, data_size);
  EXPECT_EQ(part(types, type, ".list").shape, Shape::list);
  EXPECT_EQ(part(types, type, ".map").shape, Shape::tree);
  EXPECT_EQ(part(types, type, ".unordered_map").shape, Shape::chain);
  EXPECT_EQ(part(types, type, ".shared").pointing, Pointing::shared);
  EXPECT_EQ(part(types, type, ".weak").pointing, Pointing::weak);
  EXPECT_EQ(part(types, type, ".nothing_known").shape, Shape::untyped);
}

TEST_P(TypeGraphOf, OneTypeHasOneNumberHoweverOftenItIsUsed) {
  const std::size_t pointer = add("app::first_pointer");
  const std::size_t all = add("app::Registry::all");
  EXPECT_EQ(add("app::first_pointer"), pointer);
  const std::vector<HeapType> types = graph_->take();
  EXPECT_EQ(types.at(pointer).shape, Shape::pointer);
  EXPECT_EQ(types.at(pointer).target, types.at(all).target) << "the Data of a Data* and of a vector";
}

TEST_P(TypeGraphOf, TheWantedClassIsKnownByItsNumberInTheRequest) {
  const std::size_t pointer = add("app::first_pointer");
  const std::vector<HeapType> types = graph_->take();
  EXPECT_EQ(types.at(types.at(pointer).target).wanted, 0U);
}

TEST_P(TypeGraphOf, APointerToAClassWithAVtableMayPointToItsSubclasses) {
  const std::size_t pointer = add("app::base");
  EXPECT_THAT(graph_->virtual_classes(), testing::Contains(testing::Key("app::Base")));
  const std::vector<HeapType> types = graph_->take();
  const HeapType& base = types.at(types.at(pointer).target);
  EXPECT_TRUE(base.has_vtable);
  ASSERT_THAT(base.derived, testing::SizeIs(1));
  EXPECT_THAT(types.at(base.derived.front()).name, testing::EndsWith("Derived"));
}

TEST_P(TypeGraphOf, AWantedClassOfAnotherSizeIsRefused) {
  request_.wanted.front().size = data_size + 8;
  TypeGraph graph(*program_, request_);
  const auto read = [&] {
    for (const StaticVariable& each : graph.index(0)->variables())
      if (each.name == "app::first_pointer") graph.add(0, each);
    graph.take();
  };
  EXPECT_THROW(
      try { read(); } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::layout_mismatch);
        throw;
      },
      Error);
}

}  // namespace
}  // namespace moult::internal
