// A mailbox for one message, for the program and its updates.
#pragma once

#include <semaphore>
#include <string>

struct Mailbox {
  std::string message;
  std::binary_semaphore is_empty{1};
  std::binary_semaphore is_full{0};
};
extern Mailbox mailbox;

/// Waits until the mailbox is empty; called by one thread over and over.
void put(int number);
/// Takes the message out and shows it.
void take();
