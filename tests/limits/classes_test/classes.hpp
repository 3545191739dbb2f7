// Classes that a test tries to redefine as unsuitable ones. The program's uses of their objects are in old.cpp, behind
// functions without the classes in their signatures: otherwise the test's own functions would be among the listed uses.
#pragma once

#include <array>
#include <string>
#include <utility>

#include "moult/data_access.hpp"
#include "moult/relinking.hpp"

namespace kinds {

/// Its fields change places.
struct Moved {
  MOULT_UPDATABLE Moved(int first, long last);
  MOULT_UPDATABLE long sum() const;
  int a;
  long b;
};
struct MovedV2 {
  MOULT_UPDATABLE MovedV2(int first, long last);
  MOULT_UPDATABLE long sum() const;
  long b;
  int a;
};
void* make_moved();
long reads_moved(const void* moved);     // through a pointer to the class
long reads_moved_v2(const void* moved);  // its replacement
long sum_of_moved(const void* moved);    // through the class's own function, from code without a pointer to the class

/// Has no reserve.
struct Tight : moult::Updatable<Tight> {
  MOULT_UPDATABLE explicit Tight(int given);
  std::array<char, 28> bytes{};
  int n;
};
struct TightV2 : moult::Updatable<TightV2> {
  MOULT_UPDATABLE explicit TightV2(int given);
  std::array<char, 28> bytes{};
  int n;
  std::array<char, 40> more{};
};

/// Has a reserve, and is used by value.
struct Roomy : moult::Updatable<Roomy, 64> {
  MOULT_UPDATABLE explicit Roomy(int given);
  int n;
};
struct RoomyV2 : moult::Updatable<RoomyV2> {
  MOULT_UPDATABLE explicit RoomyV2(int given);
  int n;
  long more;
};
/// Another version of its code, from which it can grow.
struct RoomyTwin : moult::Updatable<RoomyTwin, 64> {
  MOULT_UPDATABLE explicit RoomyTwin(int given);
  int n;
};
struct RoomyV3 : moult::Updatable<RoomyV3> {
  MOULT_UPDATABLE explicit RoomyV3(int given);
  int n;
  long more;
};
int has_a_local(int n);
int has_a_member(const void* holder);

/// Has no pool.
struct Loose {
  MOULT_UPDATABLE explicit Loose(int given);
  int n;
};
struct LooseV2 {
  MOULT_UPDATABLE explicit LooseV2(int given);
  int n;
  int more;
};
void* make_loose(int n);

/// Functions that are missing or differ.
struct Changed {
  MOULT_UPDATABLE explicit Changed(int given);
  MOULT_UPDATABLE int missing() const;
  MOULT_UPDATABLE int other_parameters(int n) const;
  MOULT_UPDATABLE int becomes_static(int n);
  MOULT_UPDATABLE int other_result() const;
  MOULT_UPDATABLE int without_code() const;
  MOULT_UPDATABLE int matches() const;
  int n;
};
struct ChangedV2 {
  MOULT_UPDATABLE explicit ChangedV2(int given);
  MOULT_UPDATABLE int other_parameters(long n) const;
  MOULT_UPDATABLE static int becomes_static(int n);
  MOULT_UPDATABLE long other_result() const;
  int without_code() const;
  MOULT_UPDATABLE int matches() const;
  int n;
};
int asks_for_matches();
int asks_for_missing();

/// A function that exists only as inlined copies.
struct Copied {
  [[gnu::always_inline]] int melted() const {
    volatile int seen = n;
    return seen + 1;
  }
  MOULT_UPDATABLE int solid() const;
  int n = 1;
};
struct CopiedV2 {
  MOULT_UPDATABLE int melted() const;
  MOULT_UPDATABLE int solid() const;
  int n = 2;
};
int holds_a_copy();

/// Derives from the class that it should replace.
struct Parent {
  MOULT_UPDATABLE explicit Parent(int given);
  int n;
};
struct Child : Parent {
  MOULT_UPDATABLE explicit Child(int given);
};

/// Gains virtual functions.
struct Plain {
  MOULT_UPDATABLE explicit Plain(int given);
  MOULT_UPDATABLE int area() const;
  int n;
};
struct PlainV2 {
  MOULT_UPDATABLE explicit PlainV2(int given);
  MOULT_UPDATABLE virtual int area() const;
  int n;
};
int area_of_plain(int n);

/// Many functions use it.
struct Popular {
  MOULT_UPDATABLE explicit Popular(int given);
  int n;
  int m = 0;
};
struct PopularV2 {
  MOULT_UPDATABLE explicit PopularV2(int given);
  int m = 0;
  int n;
};
int all_readers(int n);

/// Has another layout in another.cpp.
struct DisputedV2 {
  MOULT_UPDATABLE explicit DisputedV2(int given);
  int n;
};
void redefine_disputed();
int first_of_disputed();
int last_of_disputed();

}  // namespace kinds
