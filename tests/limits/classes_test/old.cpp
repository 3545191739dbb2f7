#include "classes.hpp"
#include "moult/data_update.hpp"

namespace kinds {

Moved::Moved(int first, long last) : a(first), b(last) {}
long Moved::sum() const { return a + b; }
Moved* the_newest = nullptr;
void* make_moved() { return the_newest = new Moved(1, 100); }
#line 20 "uses.cpp"
MOULT_UPDATABLE long reads_moved(const void* moved) {
  const Moved* read = static_cast<const Moved*>(moved);
  return read->a;
}
long sum_of_moved(const void* moved) { return static_cast<const Moved*>(moved)->sum(); }

Tight::Tight(int given) : n(given) {}

Roomy::Roomy(int given) : n(given) {}
#line 40 "uses.cpp"
int has_a_local(int n) {
  Roomy local(n);
  return local.n;
}
struct Holder {
  Roomy roomy;
  int behind;
};
#line 50 "uses.cpp"
int has_a_member(const void* holder) {
  const Holder* read = static_cast<const Holder*>(holder);
  return read->behind;
}
#line 60 "uses.cpp"
Roomy a_static(5);

Loose::Loose(int given) : n(given) {}
#line 70 "uses.cpp"
void* make_loose(int n) {
  Loose* made = new Loose(n);
  return made;
}

Changed::Changed(int given) : n(given) {}
int Changed::missing() const { return n; }
int Changed::other_parameters(int given) const { return n + given; }
int Changed::becomes_static(int given) { return n += given; }
int Changed::other_result() const { return n; }
int Changed::without_code() const { return n; }
int Changed::matches() const { return n; }
int asks_for_matches() { return Changed(3).matches(); }
int asks_for_missing() { return Changed(3).missing(); }

int Copied::solid() const { return n; }
#line 80 "uses.cpp"
MOULT_UPDATABLE int holds_a_copy() {
  Copied copied;
  return copied.melted() + copied.solid();
}

Parent::Parent(int given) : n(given) {}

Plain::Plain(int given) : n(given) {}
int Plain::area() const { return n; }
#line 90 "uses.cpp"
int area_of_plain(int n) {
  Plain plain(n);
  return plain.area();
}

Popular::Popular(int given) : n(given) {}
#line 100 "uses.cpp"
template <int N>
MOULT_UPDATABLE int reader(const Popular& popular) {
  return popular.n + N;
}
template <int... Ns>
int sum_of_readers(const Popular& popular, std::integer_sequence<int, Ns...>) {
  return (reader<Ns>(popular) + ...);
}
int all_readers(int n) { return sum_of_readers(Popular(n), std::make_integer_sequence<int, 30>()); }

#line 200 "uses.cpp"
struct Disputed {
  int first = 1;
  int last = 2;
};
int first_of_disputed() {
  static Disputed disputed;
  Disputed* read = &disputed;
  return read->first;
}
void redefine_disputed() { moult::redefine_class<Disputed, DisputedV2>(); }

}  // namespace kinds
