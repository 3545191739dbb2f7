#include "classes/conversion_code.hpp"

#include <gtest/gtest.h>

namespace moult::internal {
namespace {

/// As an update has them that converts Book to Book_v2 by a function, with a way back.
ConversionCode with_function() {
  return ConversionCode({
      "moult::detail::TypedConverter<Book, Book_v2, Book_v2 (*)(Book const&)>::build(moult::detail::ObjectBatch "
      "const&)",
      "moult::detail::TypedConverter<Book_v2, Book, std::function<Book (Book_v2 const&)> >::old_kind() const",
      "std::_Function_handler<Book (Book_v2 const&), moult_update_entry::{lambda(Book_v2 const&)#1}>::_M_invoke("
      "std::_Any_data const&, Book_v2 const&)",
      "std::_Function_handler<Book_v2 (int), shelve(int)::{lambda(int)#1}>::_M_invoke(std::_Any_data const&, int&&)",
  });
}

bool has(const ConversionCode& code, const char* demangled, const char* result = "", const char* parameters = "") {
  return code.has({demangled, result, parameters});
}

TEST(ConversionCode, MoultsTemplatesForAConversionAreOfIt) {
  const ConversionCode code = with_function();
  EXPECT_TRUE(has(code,
                  "moult::detail::TypedConverter<Book_v2, Book, std::function<Book (Book_v2 const&)> >::select("
                  "moult::detail::ObjectBatch const&) const"));
  EXPECT_TRUE(has(code,
                  "std::shared_ptr<moult::detail::ObjectConverter> moult::detail::make_converter<Book, Book_v2, "
                  "Book_v2 (&)(Book const&)>(Book_v2 (&)(Book const&))"));
  EXPECT_TRUE(has(code, "moult::EagerConversionUpdate<Book, Book_v2>::~EagerConversionUpdate()"));
  EXPECT_TRUE(has(code,
                  "std::_Sp_counted_ptr_inplace<moult::detail::TypedConverter<Book, Book_v2, Book_v2 (*)(Book "
                  "const&)>, std::allocator<void>, (__gnu_cxx::_Lock_policy)2>::_M_dispose()"));
  EXPECT_TRUE(has(code, "moult_update_entry"));
}

TEST(ConversionCode, WhatStandsInForAConstructorIsNot) {
  EXPECT_FALSE(has(with_function(), "void moult::detail::construct_object<Book_v2>(void*)"));
  EXPECT_FALSE(has(with_function(), "void moult::detail::destroy_object<Book_v2>(void*)"));
}

TEST(ConversionCode, AFunctionOfTheTransformersSignatureIsATransformer) {
  const ConversionCode code = with_function();
  EXPECT_TRUE(has(code, "(anonymous namespace)::transformer(Book const&)", "Book_v2", "(Book const&)"));
  EXPECT_TRUE(has(code, "back(Book_v2 const&)", "Book", "(Book_v2 const&)")) << "one that a std::function holds";
  EXPECT_FALSE(has(code, "copied(Book const&)", "std::string", "(Book const&)"));
  EXPECT_FALSE(has(code, "transformer(Book const&)")) << "of unknown types";
}

TEST(ConversionCode, ALambdaIsATransformerWhereAConverterHasItsType) {
  const ConversionCode code(
      {"moult::detail::TypedConverter<Book, Book_v2, moult_update_entry::{lambda(Book "
       "const&)#1}>::build(moult::detail::ObjectBatch const&)"});
  EXPECT_TRUE(has(code, "moult_update_entry::{lambda(Book const&)#1}::operator()(Book const&) const", "Book_v2",
                  "(Book const&)"));
  EXPECT_FALSE(has(code, "moult_update_entry::{lambda(Book const&)#2}::operator()(Book const&) const", "Book_v2",
                   "(Book const&)"));
}

TEST(ConversionCode, ALambdaInAStdFunctionIsATransformerWhereAConverterHoldsThatFunction) {
  const ConversionCode code = with_function();
  EXPECT_TRUE(has(code, "moult_update_entry::{lambda(Book_v2 const&)#1}::operator()(Book_v2 const&) const"));
  EXPECT_FALSE(has(code, "shelve(int)::{lambda(int)#1}::operator()(int) const")) << "another function's";
  EXPECT_FALSE(has(code,
                   "std::_Function_handler<Book_v2 (int), shelve(int)::{lambda(int)#1}>::_M_invoke(std::_Any_data "
                   "const&, int&&)"));
}

TEST(ConversionCode, ACallOperatorOfAClassWhoseNameIsOnlyAPartOfAnotherIsNot) {
  const ConversionCode code({"moult::detail::TypedConverter<Book, Book_v2, ns::Raise>::build()"});
  EXPECT_TRUE(has(code, "ns::Raise::operator()(Book const&) const"));
  EXPECT_FALSE(has(code, "Raise::operator()(Book const&) const"));
  EXPECT_FALSE(has(code, "Book::operator()(int) const"));
}

}  // namespace
}  // namespace moult::internal
