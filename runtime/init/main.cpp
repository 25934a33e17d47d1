// mydocker-init: started by mydockerd alone, with a SOCK_SEQPACKET socket as descriptor 3
// and this program itself as descriptor 4.
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/init/init.hpp"

int main() {
    int type = 0;
    socklen_t size = sizeof type;
    if (::getsockopt(3, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_SEQPACKET) {
        static const char text[] =
            "mydocker-init is a part of mydockerd and does nothing when run by hand\n";
        [[maybe_unused]] const ssize_t written = ::write(2, text, sizeof text - 1);
        return 125;
    }
    ::close(4);
    mydocker::init::serve(3);
}
