# Pointers to functions and members, arrays of classes and parts without an address of their own are new; an atomic
# number moves; an enumeration, an atomic number and others become numbers of another type.
sed -i 's|^  // New fields.|\
  int (*call_)(int) = twice;\
  int (Item::*method_)() const = \&Item::number;\
  int Item::*member_ = \&Item::number_;\
  int (*calls_[2])(int) = {nullptr, twice};\
  Part given_[2] = {{1, 2}, {5, 6}}, made_[2];\
  int least_ = INT_MIN;\
  [[no_unique_address]] Part part_;\
  [[no_unique_address]] struct Other {} other_;\
|
s|^  Colour colour_|  int colour_|; s|^  int level_ = 1|  std::atomic<long> level_ = 1|; s|^  double weight_|  int weight_|
s|  int number() const {|&\
    if (call_ != nullptr) return call_(number_) + (calls_[1](this->*member_) + given_[1].second + made_[1].first + part_.second) * 7 + (least_ < 0);|
s|  int sum() const {|&\
    if (method_ != \&Item::number) return 0;|' app.cpp
