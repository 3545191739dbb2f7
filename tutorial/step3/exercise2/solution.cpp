// Gives every Data an origin and replaces sum, in one stop. No list is being printed in that stop.
#include <iostream>
#include <string>

#include "data.hpp"

class Data_v2 : public moult::Updatable<Data_v2> {
 public:
  Data_v2(int value, std::string origin) : value_(value), origin_(std::move(origin)) {}
  void print() const;
  int value() const;

 private:
  int value_;
  std::string origin_;
};

MOULT_UPDATABLE void Data_v2::print() const { std::cout << value_ << " from " << origin_; }
MOULT_UPDATABLE int Data_v2::value() const { return value_; }

static Data_v2 transformer(const Data& data) { return {data.value(), "localhost"}; }

static std::unique_ptr<Data> sum_v2(const Data& left, const Data& right) {
  Data_v2* next = new Data_v2((left.value() + right.value()) % 1'000'000, "localhost");
  return std::unique_ptr<Data>(reinterpret_cast<Data*>(next));  // the program takes it for a Data
}

class DataUpdate final : public moult::Update {
 public:
  DataUpdate() : Update("Data and sum") {}

  void prepare() override {
    // The old constructor has no counterpart. Nothing calls it after sum is replaced.
    change_ = moult::prepare_redefinition<Data, Data_v2>(
        {.also = {moult::Redefinition(sum, sum_v2)}, .unmatched = moult::UnmatchedMembers::kept});
  }

  bool wait_alterability() override { return moult::wait_quiescence_of_functions({sum, show}, patience()); }

  void apply() override {
    for (Data& data : moult::DataAccessor<Data>()) moult::update_to_class<Data, Data_v2>(data, transformer);
    change_.make();
  }

 private:
  moult::PreparedRedefinition change_;
};

MOULT_UPDATE { moult::threaded_manager("Data").add_update(std::make_unique<DataUpdate>()); }
