package lab

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
)

// Ports are taken below those that kernels give to outgoing connections, from
// 32768 on: none of these takes one between the moment when it is found free and
// the moment when something listens there.
const firstPort, lastPort = 20000, 32000

// given keeps the files of the ports that this process has given away: while one is open,
// and locked so, nobody else on this machine is given its port.
var given struct {
	sync.Mutex
	files []*os.File
}

// FreePort finds a port of 127.0.0.1 on which nothing listens, and which no lab and no test
// that runs was given: it takes seconds until something listens on it, and several labs come
// up at once.
func FreePort() (int, error) {
	dir, err := portsDir()
	if err != nil {
		return 0, err
	}
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		f, err := os.OpenFile(filepath.Join(dir, strconv.Itoa(port)), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return 0, err
		}
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil || !free(port) {
			f.Close()
			continue
		}
		given.Lock()
		given.files = append(given.files, f)
		given.Unlock()
		return port, nil
	}
	return 0, fmt.Errorf("no port of 127.0.0.1 between %d and %d is free", firstPort, lastPort)
}

func free(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	return err == nil && l.Close() == nil
}

// portsDir makes the directory that has a file for each port that was ever given away.
func portsDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "landbridge-lab", "ports")
	return dir, os.MkdirAll(dir, 0o755)
}
