// Gives every Data an origin, and replaces sum so that new ones get theirs. The two updates are independent.
#include <iostream>
#include <string>

#include "data.hpp"

class Data_v2 : public moult::Updatable<Data_v2> {
 public:
  explicit Data_v2(int value);  // called by the old sum until that is replaced
  Data_v2(int value, std::string origin) : value_(value), origin_(std::move(origin)) {}
  void print() const;
  int value() const;

 private:
  int value_;
  std::string origin_ = "localhost";
};

MOULT_UPDATABLE Data_v2::Data_v2(int value) : value_(value) {}
MOULT_UPDATABLE void Data_v2::print() const { std::cout << value_ << " from " << origin_; }
MOULT_UPDATABLE int Data_v2::value() const { return value_; }

static Data_v2 transformer(const Data& data) { return {data.value(), "localhost"}; }

static std::unique_ptr<Data> sum_v2(const Data& left, const Data& right) {
  Data_v2* next = new Data_v2((left.value() + right.value()) % 1'000'000, "localhost");
  return std::unique_ptr<Data>(reinterpret_cast<Data*>(next));  // the program takes it for a Data
}

MOULT_UPDATE {
  moult::ThreadedManager& manager = moult::threaded_manager("main");
  const moult::ConversionOptions<Data, Data_v2> options{.rebind = moult::Rebind::yes};
  manager.add_update(std::make_unique<moult::EagerConversionUpdate<Data, Data_v2>>("Data", transformer, options));
  manager.add_update(std::make_unique<moult::SafeRedefineUpdate>("sum", sum, sum_v2));
}
